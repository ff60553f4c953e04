"""AdministrationService: decode, call the engine, encode."""

from collections.abc import Iterator, Sequence

import grpc

from pseudo_service.api.v1 import administration_pb2 as messages
from pseudo_service.api.v1 import administration_pb2_grpc as services
from pseudo_service.core.audit.events import RecordedEvent
from pseudo_service.core.errors import InvalidArgument, OptOutListRefused
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.engine.audit.project_audit import ProjectAudit
from pseudo_service.engine.audit.trail import AuditTrail
from pseudo_service.engine.keys.rotation import KeyRotation
from pseudo_service.engine.projects.closing import ProjectClosing
from pseudo_service.engine.projects.lifecycle import ProjectLifecycle
from pseudo_service.engine.projects.policy_registry import PolicyRegistry
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.engine.tables.prefetch import Prefetcher
from pseudo_service.ports.opt_outs import OptOutListKind
from pseudo_service.transport.codecs.audit import encode_checkpoint, encode_event
from pseudo_service.transport.codecs.fields import decode_time, encode_time
from pseudo_service.transport.codecs.projects import (
    decode_project_request,
    encode_bare_project,
    encode_key_version,
    encode_policy,
    encode_project,
)
from pseudo_service.transport.interceptors.calls import current_call
from pseudo_service.transport.servicers.alias_requests import load_aliases
from pseudo_service.transport.servicers.closing import ClosingCalls
from pseudo_service.transport.servicers.receiving import FIRST_SECONDS, receive_ahead

MOST_IN_CHUNK = 100_000


class AdministrationServicer(ClosingCalls, services.AdministrationServiceServicer):
    """Serves custodians and auditors; nothing here answers data of a patient."""

    def __init__(
        self,
        *,
        projects: ProjectLifecycle,
        rotation: KeyRotation,
        policies: PolicyRegistry,
        opt_outs: OptOutLists,
        audit: AuditTrail,
        superseded: SupersededLists,
        project_audit: ProjectAudit,
        closing: ProjectClosing,
    ) -> None:
        self._projects = projects
        self._rotation = rotation
        self._policies = policies
        self._opt_outs = opt_outs
        self._audit = audit
        self._superseded = superseded
        self._project_audit = project_audit
        self._closing = closing

    def CreateProject(
        self, request: messages.CreateProjectRequest, context: grpc.ServicerContext
    ) -> messages.CreateProjectResponse:
        """Make a project and its keys."""
        wanted = decode_project_request(request)
        facts = self._projects.create(wanted, current_call().actor)
        return messages.CreateProjectResponse(project=encode_project(facts))

    def ListProjects(
        self, request: messages.ListProjectsRequest, context: grpc.ServicerContext
    ) -> messages.ListProjectsResponse:
        """List all projects."""
        projects = self._projects.list(current_call().actor)
        return messages.ListProjectsResponse(
            projects=[encode_bare_project(project) for project in projects]
        )

    def GetProject(
        self, request: messages.GetProjectRequest, context: grpc.ServicerContext
    ) -> messages.GetProjectResponse:
        """Show one project with its key versions."""
        facts = self._projects.get(request.project, current_call().actor)
        return messages.GetProjectResponse(project=encode_project(facts))

    def SuspendProject(
        self, request: messages.SuspendProjectRequest, context: grpc.ServicerContext
    ) -> messages.SuspendProjectResponse:
        """Stop a project's data calls."""
        facts = self._projects.suspend(
            request.project, reason=request.reason, actor=current_call().actor
        )
        return messages.SuspendProjectResponse(project=encode_project(facts))

    def ResumeProject(
        self, request: messages.ResumeProjectRequest, context: grpc.ServicerContext
    ) -> messages.ResumeProjectResponse:
        """Let a project's data calls in again."""
        facts = self._projects.resume(
            request.project, reason=request.reason, actor=current_call().actor
        )
        return messages.ResumeProjectResponse(project=encode_project(facts))

    def RotateKey(
        self, request: messages.RotateKeyRequest, context: grpc.ServicerContext
    ) -> messages.RotateKeyResponse:
        """Make the next key version."""
        row = self._rotation.rotate(
            ProjectId(request.project),
            current_version=KeyVersion(request.current_version),
            reason=request.reason,
            overlap_days=request.overlap_days,
            actor=current_call().actor,
        )
        return messages.RotateKeyResponse(key_version=encode_key_version(row))

    def RegisterPolicy(
        self, request: messages.RegisterPolicyRequest, context: grpc.ServicerContext
    ) -> messages.RegisterPolicyResponse:
        """Keep a policy for ever."""
        stored = self._policies.register(request.text, current_call().actor)
        return messages.RegisterPolicyResponse(policy=encode_policy(stored))

    def GetPolicy(
        self, request: messages.GetPolicyRequest, context: grpc.ServicerContext
    ) -> messages.GetPolicyResponse:
        """Show a registered policy."""
        stored = self._policies.get(
            request.project, request.policy, current_call().actor
        )
        return messages.GetPolicyResponse(policy=encode_policy(stored))

    def ListPolicies(
        self, request: messages.ListPoliciesRequest, context: grpc.ServicerContext
    ) -> messages.ListPoliciesResponse:
        """List a project's policies."""
        stored = self._policies.list(request.project, current_call().actor)
        return messages.ListPoliciesResponse(
            policies=[encode_policy(policy) for policy in stored]
        )

    def LoadOptOuts(
        self,
        request_iterator: Iterator[messages.LoadOptOutsRequest],
        context: grpc.ServicerContext,
    ) -> messages.LoadOptOutsResponse:
        """Load a list: a header, then chunks."""
        requests = receive_ahead(request_iterator, idle_seconds=FIRST_SECONDS)
        try:
            return self._load_opt_outs(requests)
        finally:
            requests.close()

    def _load_opt_outs(
        self, requests: Prefetcher[messages.LoadOptOutsRequest]
    ) -> messages.LoadOptOutsResponse:
        first = next(requests, None)
        if first is None or first.WhichOneof("payload") != "header":
            msg = "an opt-out list begins with its header"
            raise InvalidArgument(msg)
        facts = self._opt_outs.load(
            _choose_kind(first.header.kind),
            entries=first.header.entries,
            expires_at=decode_time(first.header.expires_at),
            chunks=_read_chunks(requests),
            actor=current_call().actor,
        )
        return messages.LoadOptOutsResponse(
            list_id=facts.list_id,
            entries=facts.entries,
            expires_at=encode_time(facts.expires_at),
        )

    def ReadProjectAudit(
        self, request: messages.ReadProjectAuditRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.ReadProjectAuditResponse]:
        """Stream one project's events."""
        call = current_call()
        call.name_project(request.project)
        events = self._project_audit.read(
            request.project,
            since=decode_time(request.since) if request.HasField("since") else None,
            until=decode_time(request.until) if request.HasField("until") else None,
            actor=call.actor,
        )
        for event in events:
            yield messages.ReadProjectAuditResponse(event=encode_event(event))

    def LoadAliases(
        self,
        request_iterator: Iterator[messages.LoadAliasesRequest],
        context: grpc.ServicerContext,
    ) -> messages.LoadAliasesResponse:
        """Load a table of superseded numbers: a header, then chunks."""
        requests = receive_ahead(request_iterator, idle_seconds=FIRST_SECONDS)
        try:
            return load_aliases(self._superseded, requests, current_call().actor)
        finally:
            requests.close()

    def ExportAudit(
        self, request: messages.ExportAuditRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.ExportAuditResponse]:
        """Stream the trail."""
        for item in self._audit.export(current_call().actor):
            if isinstance(item, RecordedEvent):
                yield messages.ExportAuditResponse(event=encode_event(item))
            else:
                yield messages.ExportAuditResponse(checkpoint=encode_checkpoint(item))

    def CheckpointAudit(
        self, request: messages.CheckpointAuditRequest, context: grpc.ServicerContext
    ) -> messages.CheckpointAuditResponse:
        """Sign the heads of all chains now."""
        checkpoint = self._audit.checkpoint_for(current_call().actor)
        return messages.CheckpointAuditResponse(
            checkpoint=encode_checkpoint(checkpoint)
        )


def _choose_kind(text: str) -> OptOutListKind:
    if text not in set(OptOutListKind):
        msg = "kind: give one of " + ", ".join(OptOutListKind)
        raise InvalidArgument(msg)
    return OptOutListKind(text)


def _read_chunks(
    requests: Iterator[messages.LoadOptOutsRequest],
) -> Iterator[Sequence[str]]:
    for request in requests:
        if request.WhichOneof("payload") != "chunk":
            msg = "opt-out list: after the header only chunks follow"
            raise InvalidArgument(msg)
        if len(request.chunk.nhs_numbers) > MOST_IN_CHUNK:
            msg = f"opt-out list: a chunk has at most {MOST_IN_CHUNK} entries"
            raise OptOutListRefused(msg)
        yield request.chunk.nhs_numbers
