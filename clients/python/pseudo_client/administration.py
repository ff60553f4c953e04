"""Projects, keys, policies, opt-out lists and the audit trail."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

import grpc

from pseudo_client.administration_values import (
    Checkpoint,
    KeyVersion,
    LoadedAliases,
    LoadedOptOuts,
    Policy,
    Project,
    RecordedEvent,
    SignedStatement,
    write_moment,
)
from pseudo_client.api.v1 import administration_pb2 as pb
from pseudo_client.api.v1.administration_pb2_grpc import AdministrationServiceStub
from pseudo_client.calls import Caller
from pseudo_client.statuses import translate


class DateShiftLike(Protocol):
    """What states a date shift: ``DateShift``, or an object of the same fields."""

    @property
    def unit(self) -> str:
        """Weeks or days."""
        ...

    @property
    def bound(self) -> int:
        """The largest offset in that unit."""
        ...

    @property
    def direction(self) -> str:
        """Past or both."""
        ...


class OptOutsLike(Protocol):
    """What states an opt-out rule: ``OptOuts``, or an object of the same fields."""

    @property
    def application(self) -> str:
        """Applied or not applicable."""
        ...

    @property
    def legal_basis(self) -> str:
        """Why."""
        ...

    @property
    def uncheckable(self) -> str:
        """Remove or keep."""
        ...


class AdministrationCalls:
    """Every verb of the administration service; none returns a patient's data.

    Reading is tried again when that may help; what changes something is done once.
    Every method raises ``ServiceError``.
    """

    _caller: Caller

    def create_project(
        self,
        project: str,
        *,
        title: str,
        date_shift: DateShiftLike,
        opt_outs: OptOutsLike,
        daily_quota: int,
        linkage_ceiling: int = 0,
        follows_merges: bool = False,
    ) -> Project:
        """Make a project and its keys; its date shift is fixed for its life.

        Args:
            project: Its id.
            title: What people call it.
            date_shift: How far its dates move.
            opt_outs: Whether opt-outs are applied, and on what basis.
            daily_quota: Distinct identifiers a caller and day.
            linkage_ceiling: The most pseudonyms of one linkage request; 0 for 1,000.
            follows_merges: Whether a superseded NHS number counts as the one that
                replaced it.
        """
        request = pb.CreateProjectRequest(
            project=project,
            title=title,
            date_shift=pb.DateShift(
                unit=f"{date_shift.unit}",
                bound=date_shift.bound,
                direction=f"{date_shift.direction}",
            ),
            opt_outs=pb.OptOuts(
                application=f"{opt_outs.application}",
                legal_basis=opt_outs.legal_basis,
                uncheckable=f"{opt_outs.uncheckable}",
            ),
            daily_quota=daily_quota,
            linkage_ceiling=linkage_ceiling,
            follows_merges=follows_merges,
        )
        answer = self._caller.order(self._desk().CreateProject, request)
        return Project.from_message(answer.project)

    def list_projects(self) -> list[Project]:
        """Return all projects that the caller may see."""
        request = pb.ListProjectsRequest()
        answer = self._caller.ask(self._desk().ListProjects, request)
        return [Project.from_message(each) for each in answer.projects]

    def get_project(self, project: str) -> Project:
        """Return one project."""
        request = pb.GetProjectRequest(project=project)
        answer = self._caller.ask(self._desk().GetProject, request)
        return Project.from_message(answer.project)

    def suspend_project(self, project: str, *, reason: str) -> Project:
        """Stop a project's data calls."""
        request = pb.SuspendProjectRequest(project=project, reason=reason)
        answer = self._caller.order(self._desk().SuspendProject, request)
        return Project.from_message(answer.project)

    def resume_project(self, project: str, *, reason: str) -> Project:
        """Let a suspended project take data calls again."""
        request = pb.ResumeProjectRequest(project=project, reason=reason)
        answer = self._caller.order(self._desk().ResumeProject, request)
        return Project.from_message(answer.project)

    def rotate_key(
        self, project: str, *, current_version: int, reason: str, overlap_days: int = 0
    ) -> KeyVersion:
        """Make the next version of a project's pseudonym key.

        For ``overlap_days`` tables may ask for the old pseudonyms beside the new.
        """
        request = pb.RotateKeyRequest(
            project=project,
            current_version=current_version,
            reason=reason,
            overlap_days=overlap_days,
        )
        answer = self._caller.order(self._desk().RotateKey, request)
        return KeyVersion.from_message(answer.key_version)

    def close_project(self, project: str, *, reason: str, cooling_days: int) -> Project:
        """Ask for a project's end: its data calls stop, its cooling time begins."""
        request = pb.CloseProjectRequest(
            project=project, reason=reason, cooling_days=cooling_days
        )
        answer = self._caller.order(self._desk().CloseProject, request)
        return Project.from_message(answer.project)

    def agree_to_close(self, project: str) -> Project:
        """Agree, as a second custodian, to a project's end."""
        request = pb.AgreeToCloseRequest(project=project)
        answer = self._caller.order(self._desk().AgreeToClose, request)
        return Project.from_message(answer.project)

    def cancel_closing(self, project: str, *, reason: str) -> Project:
        """Call a project's end off; it is suspended, and can be resumed."""
        request = pb.CancelClosingRequest(project=project, reason=reason)
        answer = self._caller.order(self._desk().CancelClosing, request)
        return Project.from_message(answer.project)

    def destroy_project(self, project: str) -> tuple[Project, SignedStatement]:
        """Have a project's keys deleted for ever; return the certificate, too.

        What was cut off is completed by doing it again; once it is done, the same
        certificate is answered.
        """
        request = pb.DestroyProjectRequest(project=project)
        answer = self._caller.order(self._desk().DestroyProject, request)
        certificate = SignedStatement.from_message(answer.certificate)
        return Project.from_message(answer.project), certificate

    def register_policy(self, text: str) -> Policy:
        """Register a policy's text; the same text again is no error."""
        request = pb.RegisterPolicyRequest(text=text)
        answer = self._caller.ask(self._desk().RegisterPolicy, request)
        return Policy.from_message(answer.policy)

    def get_policy(self, project: str, policy: str) -> Policy:
        """Return the policy "release@n" of a project."""
        request = pb.GetPolicyRequest(project=project, policy=policy)
        answer = self._caller.ask(self._desk().GetPolicy, request)
        return Policy.from_message(answer.policy)

    def list_policies(self, project: str) -> list[Policy]:
        """Return the policies of a project."""
        request = pb.ListPoliciesRequest(project=project)
        answer = self._caller.ask(self._desk().ListPolicies, request)
        return [Policy.from_message(each) for each in answer.policies]

    def load_opt_outs(
        self,
        *,
        kind: str,
        expires_at: datetime,
        entries: int,
        chunks: Iterable[Sequence[str]],
    ) -> LoadedOptOuts:
        """Load a list in place of the one before.

        Args:
            kind: "allow" or "opt_out".
            expires_at: With its time zone; data calls are refused afterwards.
            entries: How many NHS numbers the chunks hold together.
            chunks: Lists of at most 100,000 NHS numbers.
        """
        header = pb.OptOutHeader(
            kind=kind, expires_at=write_moment(expires_at), entries=entries
        )
        try:
            answer = self._desk().LoadOptOuts(
                _write_list(header, chunks),
                metadata=self._caller.connection.metadata(),
            )
        except grpc.RpcError as failure:
            raise translate(failure) from None
        return LoadedOptOuts.from_message(answer)

    def read_project_audit(
        self,
        project: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[RecordedEvent]:
        """Iterate one project's events, chain by chain.

        Votes on requests that are not decided yet are left out.

        Args:
            project: The project's id.
            since: The first moment, with its time zone; the beginning if None.
            until: The moment before which events lie; now if None.
        """
        call = self._desk().ReadProjectAudit(
            pb.ReadProjectAuditRequest(
                project=project,
                since=write_moment(since) if since else None,
                until=write_moment(until) if until else None,
            ),
            metadata=self._caller.connection.metadata(),
        )
        try:
            for answer in call:
                yield RecordedEvent.from_message(answer.event)
        except grpc.RpcError as failure:
            raise translate(failure) from None

    def load_aliases(
        self,
        *,
        entries: int,
        chunks: Iterable[Sequence[tuple[str, str]]],
    ) -> LoadedAliases:
        """Load a table of superseded NHS numbers in place of the one before.

        Args:
            entries: How many the chunks hold together; none withdraws the table.
            chunks: Lists of at most 100,000 pairs: the superseded number, and the one
                that replaced it, empty where it was re-issued to another person.
        """
        header = pb.AliasHeader(entries=entries)
        try:
            answer = self._desk().LoadAliases(
                _write_aliases(header, chunks),
                metadata=self._caller.connection.metadata(),
            )
        except grpc.RpcError as failure:
            raise translate(failure) from None
        return LoadedAliases.from_message(answer)

    def export_audit(self) -> Iterator[RecordedEvent | Checkpoint]:
        """Iterate every event and checkpoint of the audit trail."""
        call = self._desk().ExportAudit(
            pb.ExportAuditRequest(), metadata=self._caller.connection.metadata()
        )
        try:
            for answer in call:
                if answer.WhichOneof("payload") == "checkpoint":
                    yield Checkpoint.from_message(answer.checkpoint)
                else:
                    yield RecordedEvent.from_message(answer.event)
        except grpc.RpcError as failure:
            raise translate(failure) from None

    def checkpoint_audit(self) -> Checkpoint:
        """Have a checkpoint over all chains signed now."""
        request = pb.CheckpointAuditRequest()
        answer = self._caller.order(self._desk().CheckpointAudit, request)
        return Checkpoint.from_message(answer.checkpoint)

    def _desk(self) -> AdministrationServiceStub:
        return AdministrationServiceStub(self._caller.connection.channel())


def _write_list(
    header: pb.OptOutHeader, chunks: Iterable[Sequence[str]]
) -> Iterator[pb.LoadOptOutsRequest]:
    yield pb.LoadOptOutsRequest(header=header)
    for chunk in chunks:
        yield pb.LoadOptOutsRequest(chunk=pb.OptOutChunk(nhs_numbers=chunk))


def _write_aliases(
    header: pb.AliasHeader, chunks: Iterable[Sequence[tuple[str, str]]]
) -> Iterator[pb.LoadAliasesRequest]:
    yield pb.LoadAliasesRequest(header=header)
    for chunk in chunks:
        aliases = [pb.Alias(superseded=old, current=new) for old, new in chunk]
        yield pb.LoadAliasesRequest(chunk=pb.AliasChunk(aliases=aliases))
