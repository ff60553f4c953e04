"""Gives each service of the wire contract its use cases, as the duties say."""

from pseudo_service.bootstrap.linkage import LinkageUseCases
from pseudo_service.bootstrap.shared_services import RuntimeOverrides
from pseudo_service.bootstrap.use_cases import UseCases
from pseudo_service.config import Config, Duty, LimitSettings
from pseudo_service.transport.arrow_ipc import ArrowLimits
from pseudo_service.transport.interceptors.limits import CallLimits
from pseudo_service.transport.server import Servicers
from pseudo_service.transport.servicers.administration import AdministrationServicer
from pseudo_service.transport.servicers.deidentification import (
    DeidentificationServicer,
)
from pseudo_service.transport.servicers.linkage import LinkageServicer
from pseudo_service.transport.servicers.register import RegisterServicer


def build_servicers(
    config: Config,
    use_cases: UseCases,
    linkage: LinkageUseCases | None,
    overrides: RuntimeOverrides,
) -> Servicers:
    """Return what this process serves; ``linkage`` is None without that duty."""
    ingests = Duty.INGESTION in config.served_duties
    return Servicers(
        administration=AdministrationServicer(
            projects=use_cases.projects,
            rotation=use_cases.rotation,
            policies=use_cases.policies,
            opt_outs=use_cases.opt_outs,
            superseded=use_cases.superseded,
            audit=use_cases.audit,
            project_audit=use_cases.project_audit,
            closing=use_cases.closing,
        ),
        deidentification=(
            _build_deidentification(config, use_cases, overrides) if ingests else None
        ),
        linkage=(
            LinkageServicer(
                desk=linkage.desk,
                reader=linkage.reader,
                release=linkage.release,
                trace=linkage.trace,
            )
            if linkage
            else None
        ),
        register=(
            RegisterServicer(
                maintenance=linkage.maintenance,
                recall=linkage.recall,
                key_map=linkage.key_map,
            )
            if linkage
            else None
        ),
    )


def choose_call_limits(limits: LimitSettings) -> CallLimits:
    """Return how many calls may be open: three quarters of ``threads`` of each kind."""
    share = limits.threads - limits.threads // 4
    return CallLimits(
        streams_per_caller=limits.streams_per_caller,
        calls_per_caller=limits.calls_per_caller,
        streams=share,
        calls=share,
    )


def _build_deidentification(
    config: Config, use_cases: UseCases, overrides: RuntimeOverrides
) -> DeidentificationServicer:
    limits = config.server.limits
    return DeidentificationServicer(
        tables=use_cases.tables,
        values=use_cases.values,
        pseudonyms=use_cases.pseudonyms,
        texts=use_cases.texts,
        limits=ArrowLimits(
            rows=limits.batch_rows,
            columns=limits.columns,
            message_bytes=limits.message_bytes,
        ),
        clock=overrides.clock,
        telemetry=overrides.telemetry,
    )
