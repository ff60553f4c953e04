"""Answering a release: the register is opened once, and each subject is answered.

Keys and lists were fetched before (``release_preparation``).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.arrow.arrays import MAC_BYTES
from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierKind
from pseudo_service.core.ids import NO_KEY_VERSION, KeyVersion
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.linkage.request import (
    LinkageOutcome,
    LinkageRequest,
    LinkageVerb,
)
from pseudo_service.core.linkage.results import (
    SubjectAnswer,
    encode_answers,
    encode_location,
)
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.matching import MacIndex
from pseudo_service.engine.audit.subject_codes import SubjectCodes
from pseudo_service.engine.disclosures.subject_location import SubjectLocation
from pseudo_service.engine.linkage.release_preparation import Prepared
from pseudo_service.engine.linkage.translation_record import Translated
from pseudo_service.engine.register.opening import RegisterGrant, RegisterOpening


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The plain result, its counts, and the people that it names.

    ``subject_codes`` are the codes of the people whose identity or pseudonym the result
    holds. ``translated`` lists the people that the target project now holds, under its
    ``key_version``.
    """

    plain: bytes = field(repr=False)
    counts: Mapping[str, int]
    subject_codes: tuple[str, ...]
    register_faults: int
    translated: Sequence[Translated] = field(default=(), repr=False)
    key_version: KeyVersion = NO_KEY_VERSION


class ReleaseAnswers:
    """Builds the answer of one release of any verb."""

    def __init__(
        self,
        *,
        opening: RegisterOpening,
        location: SubjectLocation,
        codes: SubjectCodes,
    ) -> None:
        self._opening = opening
        self._location = location
        self._codes = codes

    def answer(
        self,
        prepared: Prepared,
        grant: RegisterGrant,
        *,
        subject_code: str,
        released_at: datetime,
    ) -> Answered:
        """Open the register, once, and return the answer.

        Args:
            prepared: The keys and lists of the release.
            grant: Spent by this.
            subject_code: For LOCATE, the code of the one subject.
            released_at: Stated in the result.
        """
        request = prepared.request
        if request.terms.verb is LinkageVerb.LOCATE:
            return self._locate(request, grant, subject_code, released_at)
        search = _Search(prepared)
        scan = self._opening.scan(grant, kind=search.only_kind())
        for page in scan:
            search.add_page(page.kind, page.canonical)
        answers = [self._answer_one(prepared, search, text) for text in prepared.wanted]
        named = [a for a in answers if a.outcome is LinkageOutcome.FOUND]
        counts = Counter(answer.outcome.value for answer in answers)
        target = prepared.target
        codes = {self._codes.encode(*search.found[a.subject]) for a in named}
        return Answered(
            plain=encode_answers(
                request,
                answers,
                released_at=released_at,
                register_faults=len(scan.faults),
            ),
            counts=dict(sorted(counts.items())),
            subject_codes=tuple(sorted(codes)),
            register_faults=len(scan.faults),
            translated=(
                [target.describe_person(*search.found[a.subject]) for a in named]
                if target
                else ()
            ),
            key_version=target.root.version if target else NO_KEY_VERSION,
        )

    def _locate(
        self,
        request: LinkageRequest,
        grant: RegisterGrant,
        subject_code: str,
        released_at: datetime,
    ) -> Answered:
        located = self._location.locate(grant, subjects=request.subjects)
        rows = located.rows
        unaccounted = [
            f"{one.project}: {one.describe()}" for one in located.unaccounted
        ]
        return Answered(
            plain=encode_location(
                request, rows, unaccounted=unaccounted, released_at=released_at
            ),
            counts={
                "projects": len({row.project for row in rows}),
                "unaccounted": len(unaccounted),
            },
            subject_codes=(subject_code,),
            register_faults=0,
        )

    def _answer_one(
        self, prepared: Prepared, search: "_Search", text: str
    ) -> SubjectAnswer:
        wanted = prepared.wanted[text]
        if wanted.tag != prepared.tag:
            return SubjectAnswer(subject=text, outcome=LinkageOutcome.WRONG_PROJECT)
        if wanted.version not in prepared.versions:
            outcome = LinkageOutcome.CLOSED_KEY_VERSION
            return SubjectAnswer(subject=text, outcome=outcome)
        found = search.found.get(text)
        if found is None:
            return SubjectAnswer(subject=text, outcome=LinkageOutcome.UNKNOWN)
        kind, canonical = found
        if prepared.target is not None:
            return prepared.target.translate(text, kind, canonical)
        survivor = None
        if kind == NHS_NUMBER:
            survivor = prepared.superseded.table.find_survivor(canonical)
        return SubjectAnswer(
            subject=text,
            outcome=LinkageOutcome.FOUND,
            kind=kind.text,
            identifier=canonical,
            superseded_by=survivor or "",
        )


class _Search:
    """Finds the identities of wanted pseudonyms, page by page of the register."""

    def __init__(self, prepared: Prepared) -> None:
        self.found: dict[str, tuple[IdentifierKind, str]] = {}
        self._versions = prepared.versions
        self._texts: defaultdict[tuple[str, KeyVersion], list[str]] = defaultdict(list)
        for text, each in prepared.wanted.items():
            if each.tag == prepared.tag and each.version in prepared.versions:
                self._texts[each.letter, each.version].append(text)
        self._wanted = {
            place: MacIndex.build(_stack(prepared.wanted[text].mac for text in texts))
            for place, texts in self._texts.items()
        }
        self._hashes: dict[tuple[str, KeyVersion], KeyedHash] = {}

    def only_kind(self) -> IdentifierKind | None:
        """Return the one kind of all wanted pseudonyms; None if there may be several."""
        letters = {letter for letter, _ in self._texts}
        return NHS_NUMBER if letters == {NHS_NUMBER.letter} else None

    def add_page(self, kind_text: str, canonical: pa.StringArray) -> None:
        """Search a page of identities of one kind, and keep those that are wanted."""
        kind = IdentifierKind.parse(kind_text)
        for (letter, version), wanted in self._wanted.items():
            if letter != kind.letter:
                continue
            macs = self._hash(kind, version).mac(canonical)
            rows, which = wanted.find(macs)
            texts = self._texts[letter, version]
            for row, at in zip(rows.tolist(), which.tolist(), strict=True):
                self.found.setdefault(texts[at], (kind, canonical[row].as_py()))

    def _hash(self, kind: IdentifierKind, version: KeyVersion) -> KeyedHash:
        place = (kind.text, version)
        if place not in self._hashes:
            key = self._versions[version].derive(KeyUse.PSEUDONYM, kind.text)
            self._hashes[place] = KeyedHash(key, kind)
        return self._hashes[place]


def _stack(macs: Iterable[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(macs), dtype=np.uint8).reshape(-1, MAC_BYTES)
