"""Names that the field does not use were replaced; they do not come back.

Strings are left alone: what others read (wire, events, database, configuration,
commands) keeps its values.
"""

import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = (
    "pseudo_service",
    "nlp_redaction",
    "clients/python/pseudo_client",
    "loadtests",
)
GENERATED = "api"

RETIRED = {
    "Admission": "AccessControl",
    "AroundInterceptor": "ContextManagerInterceptor",
    "BatchLedger": "BatchCommit",
    "BegunBatch": "PendingBatch",
    "CareSealer": "RewriteSealer",
    "CareWarrant": "MaintenanceGrant",
    "Foundation": "SharedServices",
    "Guess": "ColumnProfile",
    "LinkageBook": "LinkageEventIndex",
    "LinkageShowing": "RequestVisibility",
    "LinkageStory": "RequestTimeline",
    "Membership": "Disclosure",
    "MembershipUse": "DisclosureUse",
    "OpeningWarrant": "RegisterGrant",
    "OracleWatch": "EnumerationMonitor",
    "ReadLater": "DeferUnaryRequest",
    "ReadNow": "ReadUnaryRequest",
    "RegisterCare": "RegisterMaintenance",
    "RememberingHash": "CachedKeyedHash",
    "RequestHistory": "ApprovalVerifier",
    "RunAhead": "Prefetcher",
    "SettledBatch": "CommittedBatch",
    "Wanted": "MacIndex",
    "admit": "require",
    "guess_content": "infer_content",
    "lay_foundation": "build_shared_services",
    "read_note": "parse_justification",
    "redact_soundly": "redact_fail_closed",
    "see_batch": "check_batch",
    "tell_stories": "build_timelines",
    "tell_wish": "summarise_request",
}


def list_sources() -> list[Path]:
    return [
        path
        for place in PLACES
        for path in sorted((ROOT / place).rglob("*.py"))
        if GENERATED not in path.relative_to(ROOT / place).parts
    ]


def find_retired(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each retired name among the code's names."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.string in RETIRED:
            yield token.start[0], token.string


def test_a_retired_name_would_be_found() -> None:
    assert list(find_retired("x = 1\nclass Guess: ...\n# Guess\n'Guess'\n")) == [
        (2, "Guess")
    ]


def test_no_retired_name_is_used() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}, say {RETIRED[name]}"
        for path in list_sources()
        for line, name in find_retired(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_what_replaced_a_name_is_there() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in list_sources())
    assert [new for new in RETIRED.values() if new not in sources] == []
