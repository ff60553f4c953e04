"""Records a translation in its target project, before the result is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from pseudo_service.core.arrow.sorted_macs import read_prefixes, sort_distinct
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.disclosures.disclosure import (
    DisclosedPeople,
    DisclosureUse,
)
from pseudo_service.core.disclosures.unrecorded import RECORDING, Recording
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.linkage.request import LinkageRequest
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.disclosures.writer import DisclosureWriter
from pseudo_service.engine.register.writer import RegisterWriter
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import BatchChange, Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """One person as the target project knows them.

    ``is_moved``: the target follows merges and knows the person under another number
    than the register does.
    """

    kind: IdentifierKind
    canonical: str = field(repr=False)
    is_moved: bool


class TranslationRecord:
    """Records the people that a target project now holds, and registers new numbers.

    A recall in the target must find people who came to it by translation. A pseudonym of
    a number that replaced another must be resolvable, like every pseudonym.
    """

    def __init__(
        self,
        *,
        writer: RegisterWriter,
        service_root: Root,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._writer = writer
        self._disclosures = DisclosureWriter(writer=writer, clock=clock)
        self._service_root = service_root
        self._journal = journal
        self._clock = clock

    def record(
        self,
        request: LinkageRequest,
        people: Sequence[Translated],
        *,
        key_version: KeyVersion,
    ) -> None:
        """Write the people durably.

        If the release fails afterwards, the target has people on record that it does not
        hold; a recall then names too many, never too few.

        Raises:
            KeyVaultUnavailable: A data key must be made and the vault does not answer.
            StoreUnavailable: The record may not be durable.
        """
        if not people:
            return
        now = self._clock.now()
        sets, segments, rows = [], [], []
        for kind in sorted({one.kind.text for one in people}):
            here = [one for one in people if one.kind.text == kind]
            blind = self._hash(here[0].kind).mac(_list_numbers(here))
            members = DisclosedPeople.of_one_operation(
                sort_distinct([read_prefixes(blind)]), now
            )
            sets.append((kind, DisclosureUse.PSEUDONYM, members))
            moved = _list_numbers([one for one in here if one.is_moved])
            if len(moved):
                index = self._hash(here[0].kind).mac(moved)
                row, segment = self._writer.seal(moved, blind=index, kind=kind)
                rows.append(row)
                segments.append(segment)
        sealed = self._disclosures.seal(
            sets,
            project=ProjectId(request.terms.target_project),
            key_version=key_version,
            operation=OperationId(request.request_id),
        )
        rows += sealed.data_keys
        self._journal.submit(
            BatchChange(
                event=AuditEvent(
                    kind=AuditKind.DISCLOSURE_RECORDED,
                    at=now,
                    actor=request.terms.redeemer,
                    project=request.terms.target_project,
                    operation=request.request_id,
                    details={RECORDING: Recording.NOW.value, "people": len(people)},
                ),
                data_keys=list({row.data_key_id: row for row in rows}.values()),
                segments=segments,
                disclosures=sealed.disclosures,
            )
        ).wait()

    def _hash(self, kind: IdentifierKind) -> KeyedHash:
        return KeyedHash(self._service_root.derive(KeyUse.BLIND_INDEX, kind.text), kind)


def _list_numbers(people: Sequence[Translated]) -> pa.StringArray:
    return pa.array(sorted({one.canonical for one in people}), pa.string())
