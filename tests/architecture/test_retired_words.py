"""Names that the field does not use were replaced; they do not come back.

Strings are left alone: what others read (wire, events, database, configuration,
commands) keeps its values.
"""

import io
import re
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
NOT_OURS_TO_NAME = {"api", "migrations"}
"""What is generated, and what was written once and for all."""

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
    "ReadLater": "DeferRequests",
    "ReadNow": "ReadRequests",
    "RegisterCare": "RegisterMaintenance",
    "RememberingHash": "CachedKeyedHash",
    "RequestHistory": "ApprovalVerifier",
    "RunAhead": "Prefetcher",
    "SettledBatch": "CommittedBatch",
    "Wanted": "MacIndex",
    "admit": "require",
    "guess_content": "infer_content",
    "guess_known": "infer_known_kind",
    "lay_foundation": "build_shared_services",
    "read_note": "parse_justification",
    "redact_soundly": "redact_fail_closed",
    "remembers": "is_stream",
    "see_batch": "check_batch",
    "tell_stories": "build_timelines",
    "tell_wish": "summarise_request",
}
"""Whole names."""

RETIRED_WORDS = {
    "care": "maintenance",
    "foundation": "shared_services",
    "guess": "infer",
    "ledger": "batch_commit",
    "membership": "disclosure",
    "memberships": "disclosures",
    "stories": "timelines",
    "story": "timeline",
    "warrant": "grant",
    "warrants": "grants",
}
"""Words that no name holds, in the tests neither."""

KEPT = {
    "CARE",
    "DIRECT_CARE",
    "membership_id",
    "memberships",
    "memberships_after",
    "memberships_before",
}
"""Direct care is a legal basis. The others are the wire's and the database's."""

IN_PROSE = re.compile(r"\b(?:ledgers?|memberships?|warrants?)\b", re.IGNORECASE)


def list_sources(*places: str) -> list[Path]:
    return [
        path
        for place in places
        for path in sorted((ROOT / place).rglob("*.py"))
        if path != Path(__file__)
        and not NOT_OURS_TO_NAME & set(path.relative_to(ROOT / place).parts)
    ]


def read_tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


def split_name(name: str) -> set[str]:
    """Return the words of a name in either style, in lower case."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {word.lower() for word in words}


def find_retired(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each retired name among the code's names."""
    for token in read_tokens(source):
        if token.type == tokenize.NAME and token.string in RETIRED:
            yield token.start[0], token.string


def find_retired_words(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and word of each retired word in names, comments and docstrings."""
    for token in read_tokens(source):
        found: list[str] = []
        if token.type == tokenize.NAME and token.string not in KEPT:
            found = sorted(split_name(token.string) & RETIRED_WORDS.keys())
        elif token.type == tokenize.COMMENT or token.string.startswith('"""'):
            found = [word.lower() for word in IN_PROSE.findall(token.string)]
        for word in found:
            yield token.start[0], word


def test_a_retired_name_would_be_found() -> None:
    assert list(find_retired("x = 1\nclass Guess: ...\n# Guess\n'Guess'\n")) == [
        (2, "Guess")
    ]


def test_a_retired_word_would_be_found() -> None:
    source = (
        "open_membership = read_stories = 1\n"
        "class SealedMemberships:\n"
        '    """A warrant."""\n'
        "row.membership_id, 'memberships', warranty  # Ledgers\n"
    )
    assert list(find_retired_words(source)) == [
        (1, "membership"),
        (1, "stories"),
        (2, "memberships"),
        (3, "warrant"),
        (4, "ledgers"),
    ]


def test_no_retired_name_is_used() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}, say {RETIRED[name]}"
        for path in list_sources(*PLACES)
        for line, name in find_retired(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_retired_word_is_used() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {word}"
        for path in list_sources(*PLACES, "tests", "clients/python/tests")
        for line, word in find_retired_words(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_what_replaced_a_name_is_there() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8") for path in list_sources(*PLACES)
    )
    new = {*RETIRED.values(), *RETIRED_WORDS.values()}
    assert [name for name in sorted(new) if name not in sources] == []
