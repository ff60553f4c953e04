"""People whom a project released, matched to the register, and their pseudonyms.

For uses of the register that look for many people at once by the prefixes of their
blind indices: the recall of opt-outs and the map of key versions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pseudo_service.core.arrow.arrays import Prefixes
from pseudo_service.core.arrow.sorted_macs import find_sorted, read_prefixes
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import KeyUse, RootPurpose
from pseudo_service.core.projects.project import Project
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.register.opening import OpenedIdentities


class ReleasedPeople:
    """Prefixes of released people; each is matched to the register once."""

    def __init__(self, prefixes: Prefixes) -> None:
        """Take sorted and distinct prefixes."""
        self._prefixes = prefixes
        self._is_matched = np.zeros(len(prefixes), np.bool_)

    def __len__(self) -> int:
        return len(self._prefixes)

    @property
    def unmatched(self) -> int:
        """How many have not been matched so far."""
        return int((~self._is_matched).sum())

    def match(self, page: OpenedIdentities) -> tuple[Prefixes, pa.StringArray]:
        """Return the people of a page who were released and are not matched yet.

        They count as matched from now on: the register may hold a person twice.

        Returns:
            Their prefixes and their identities, in the same order.
        """
        prefixes, rows = np.unique(read_prefixes(page.blind), return_index=True)
        is_new, places = find_sorted(self._prefixes, prefixes)
        is_new[is_new] = ~self._is_matched[places[is_new]]
        self._is_matched[places[is_new]] = True
        return prefixes[is_new], page.canonical.take(pa.array(rows[is_new]))


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudonymWriter:
    """Writes the pseudonyms of one project, kind and key version."""

    hash: KeyedHash = field(repr=False)
    form: PseudonymFormat

    def write(self, people: pa.StringArray) -> pa.StringArray:
        """Return the pseudonym of each canonical identity."""
        return self.form.encode(self.hash.mac(people))


def open_writer(
    key_ring: KeyRing, project: Project, kind: IdentifierKind, version: KeyVersion
) -> PseudonymWriter:
    """Return what writes a project's pseudonyms under one of its key versions.

    Raises:
        KeyUnknown: The project has no such version.
        KeyVaultUnavailable, KeyVaultRefused: The key does not open.
    """
    root = key_ring.get(project.project_id, RootPurpose.PSEUDONYMS, version)
    key = root.derive(KeyUse.PSEUDONYM, kind.text)
    form = PseudonymFormat(tag=project.tag, kind=kind, version=version)
    return PseudonymWriter(hash=KeyedHash(key, kind), form=form)


def describe_unmatched(unmatched: int, faults: int) -> Iterator[str]:
    """Yield a line on released people who are not in the register, if there are any."""
    if unmatched or faults:
        yield (
            f"{unmatched} released people are not in the register, which has "
            f"{faults} faults: look with `pseudo register verify`"
        )
