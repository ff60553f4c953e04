"""What an evidence pack says, table by table."""

from pseudo_service.core.evidence.pack import Evidence, build_evidence
from pseudo_service.core.evidence.tables import EvidenceTable
from tests.lib.values.evidence import DAY, PERIOD, make_events, make_evidence
from tests.lib.values.request_events import START

EVIDENCE = make_evidence()


def find(name: str, evidence: Evidence = EVIDENCE) -> EvidenceTable:
    return next(table for table in evidence.tables if table.name == name)


def read(name: str, *headers: str) -> list[tuple[str, ...]]:
    table = find(name)
    places = [table.headers.index(header) for header in headers]
    return [tuple(row[place] for place in places) for row in table.rows]


def test_every_row_has_a_cell_a_header_and_every_table_says_what_it_shows() -> None:
    for table in EVIDENCE.tables:
        assert all(len(row) == len(table.headers) for row in table.rows)
        assert table.rows, table.name
        assert table.evidence_for
        assert table.chart is None or table.chart in table.headers
    assert len({table.name for table in EVIDENCE.tables}) == len(EVIDENCE.tables)


def test_releases_of_the_period_are_told_with_who_answers_for_them() -> None:
    assert read("releases", "request", "verb", "asked for", "found") == [
        ("recall-1", "reidentify", "2", "2"),
        ("emergency-1", "reidentify", "1", "1"),
        ("translated-1", "translate", "2", ""),
    ]
    row = read("releases", "requester", "reviewers", "redeemer", "legal basis")[0]
    assert row == (
        "researcher-1",
        "officer-2 (approve), guardian-1 (guardian, approve)",
        "officer-1",
        "direct_care",
    )


def test_a_release_without_its_outcome_is_told_as_such() -> None:
    assert read("releases", "released", "request")[-1] == (
        "outcome not recorded",
        "translated-1",
    )
    assert ("linkage release intent", "translated-1") in read(
        "open", "what", "operation"
    )


def test_an_emergency_without_its_second_review_is_told() -> None:
    assert read("break_glass", "request", "approved by", "second review", "by") == [
        ("emergency-1", "guardian-1 (guardian, approve)", "STILL AWAITED", "")
    ]
    assert ("awaiting second review", "emergency-1") in read(
        "open", "what", "operation"
    )


def test_rejections_are_told_with_their_reviewers() -> None:
    states = dict(read("decisions", "request", "state"))
    assert states["rejected-1"] == "rejected"
    assert "early-1" not in states


def test_refusals_are_added_up_by_caller_and_cause() -> None:
    assert read("refusals", "what", "cause", "caller", "times") == [
        ("call refused", "deidentify", "stranger", "1"),
        ("linkage refused", "GRANT_SPENT", "officer-1", "1"),
        ("oracle suspected", "sequential", "loader-1", "1"),
        ("table failed", "STORE_UNAVAILABLE", "loader-1", "1"),
    ]


def test_rows_kept_back_are_told_by_month_and_reason() -> None:
    assert find("opt_outs").rows == [
        ("2026-01", "national data opt-out", "300", "10,000"),
        ("2026-03", "national data opt-out", "540", "20,000"),
        ("2026-03", "opt-out could not be checked", "80", "20,000"),
    ]


def test_keys_older_than_the_period_are_told_with_their_age_at_its_end() -> None:
    assert read("keys", "version", "age in days", "check value") == [
        ("1", "396", "ab12"),
        ("2", "30", "cd34"),
    ]


def test_a_key_is_no_older_than_the_pack() -> None:
    early = build_evidence(
        make_events(), project="asthma", period=PERIOD, made_at=START + 4 * DAY
    )
    assert [row[3] for row in find("keys", early).rows] == ["370", "5"]


def test_activity_counts_events_of_the_period_only() -> None:
    counts = {(month, kind): n for month, kind, n in find("activity").rows}
    assert counts["2026-03", "linkage submitted"] == "4"
    assert not [month for month, _ in counts if month < "2026-01"]


def test_a_project_without_events_says_what_that_means() -> None:
    for table in make_evidence([]).tables:
        assert table.rows == []
        assert table.nothing
