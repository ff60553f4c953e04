"""Compiles and tries the core's kernels, so that no stream waits for it."""

import pyarrow as pa

from pseudo_service.core.identifiers.canonical import canonicalise
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import KEY_BYTES, SecretKey
from pseudo_service.core.pseudonyms.keyed_hash import Engine, KeyedHash, name_engine
from pseudo_service.core.pseudonyms.mac_cache import CachedKeyedHash, RecentIdentifiers
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat


def warm_up() -> Engine:
    """Take one test number through every kernel; say what will compute MACs.

    Compiling takes seconds, once; from the kept code it takes a fraction of one.
    """
    kind = IdentifierKind.parse("nhs_number")
    rules = IdentifierRules(
        accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT
    )
    canonical = canonicalise(pa.array(["9990441537"]), kind, rules).values
    keyed_hash = KeyedHash(SecretKey(bytes(KEY_BYTES)), kind)
    macs = CachedKeyedHash(keyed_hash, RecentIdentifiers()).mac(canonical)
    PseudonymFormat(tag="TEST", kind=kind, version=KeyVersion(1)).encode(macs)
    return name_engine()
