"""Values of the desk keep subjects and results out of their representation."""

from pseudo_service.core.linkage.request import LinkageState
from pseudo_service.engine.linkage.views import (
    LinkageDetail,
    LinkageSubmission,
    LinkageView,
    SealedRelease,
)
from tests.lib.values.linkage_requests import PSEUDONYMS, SUBMITTED_AT, build_request

REQUEST = build_request()


def test_a_submission_shows_no_person() -> None:
    submission = LinkageSubmission(
        terms=REQUEST.terms,
        pseudonyms=PSEUDONYMS,
        identifier="9990000018",
        kind="nhs_number",
    )
    shown = repr(submission)
    assert "nhs_number" in shown
    assert not any(text in shown for text in (*PSEUDONYMS, "9990000018"))


def test_a_detail_shows_no_pseudonym() -> None:
    view = LinkageView(
        request=REQUEST,
        digest=REQUEST.digest(),
        subject_count=len(PSEUDONYMS),
        state=LinkageState.SUBMITTED,
        votes=(),
        hidden_votes=0,
    )
    shown = repr(LinkageDetail(view=view, pseudonyms=PSEUDONYMS, overlaps=()))
    assert REQUEST.request_id in shown
    assert not any(text in shown for text in PSEUDONYMS)


def test_a_release_shows_no_sealed_byte() -> None:
    release = SealedRelease(
        request_id=REQUEST.request_id,
        digest=REQUEST.digest(),
        sealed=b"sealed bytes",
        sealed_digest=bytes(32),
        available_until=SUBMITTED_AT,
        released_now=True,
    )
    assert "sealed bytes" not in repr(release)
