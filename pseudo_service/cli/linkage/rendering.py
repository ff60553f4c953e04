"""A linkage request in plain words: what is asked, by whom, and what is missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from pseudo_client import Linkage, LinkageDetails, Vote
from pseudo_service.cli.console.output import count_of, say, say_field, show_table
from pseudo_service.cli.linkage.officer_keys import write_fingerprint
from pseudo_service.core.linkage.approval import ENOUGH
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
)

SHOWN_PSEUDONYMS = 20
SHOWN_OVERLAPS = 5

_STATES: Mapping[str, str] = {
    LinkageState.SUBMITTED: "nobody has reviewed it",
    LinkageState.PARTIALLY_REVIEWED: "the first review is in, and hidden from the next",
    LinkageState.APPROVED: "approved; its redeemer may release it, once",
    LinkageState.RELEASED: "released; its answer can be fetched until it expires",
    LinkageState.AWAITING_SECOND_REVIEW: "released in an emergency; the second review "
    "is still due",
    LinkageState.DISPUTED: "released in an emergency, and the second review rejected it",
    LinkageState.REJECTED: "rejected; nothing was released",
    LinkageState.EXPIRED: "its time ran out before it was released",
    LinkageState.WITHDRAWN: "taken back by its requester",
}


def print_request(details: LinkageDetails) -> None:
    """Print a request as a reviewer should read it."""
    linkage = details.linkage
    say(f"{summarise_request(linkage)}", style="bold")
    say_field("request", linkage.request_id)
    say_field("state", f"{linkage.state}: {_STATES.get(linkage.state, 'see the docs')}")
    say_field("purpose", linkage.purpose)
    say_field("legal basis", linkage.legal_basis)
    say_field("consent", linkage.consent_reference or "none given")
    say_field("asked by", f"{linkage.requester}, {linkage.submitted_at:%Y-%m-%d %H:%M}")
    say_field("redeemed by", linkage.redeemer)
    say_field("sealed to", f"{write_fingerprint(linkage.recipient_key)} (fingerprint)")
    say_field("expires", f"{linkage.expires_at:%Y-%m-%d %H:%M} UTC")
    say_field("digest", linkage.digest.hex())
    for vote in linkage.votes:
        say_field("review", tell_vote(vote))
    if linkage.hidden_votes:
        say_field("review", f"{linkage.hidden_votes} hidden until the next one is in")
    say_field("missing", tell_missing(linkage))
    _say_pseudonyms(details.pseudonyms)
    _say_overlaps(details)


def summarise_request(linkage: Linkage) -> str:
    """Say in one sentence what the request would do."""
    what = count_of(linkage.subject_count, "pseudonym")
    match linkage.verb:
        case LinkageVerb.REIDENTIFY:
            wish = f"Tell the identifiers behind {what} of {linkage.project}"
        case LinkageVerb.TRANSLATE:
            wish = (
                f"Turn {what} of {linkage.project} into those of "
                f"{linkage.target_project}, without telling who they are"
            )
        case _:
            wish = "Tell which projects hold one person"
    urgent = linkage.mode == LinkageMode.BREAK_GLASS
    return f"{wish}{', in an emergency' if urgent else ''}."


def tell_vote(vote: Vote) -> str:
    """Say one review."""
    office = (
        f", guardian of {' and '.join(vote.guardian_of)}" if vote.guardian_of else ""
    )
    done = "approved" if vote.decision == Decision.APPROVE else "rejected"
    return f"{vote.reviewer}{office} {done} on {vote.at:%Y-%m-%d %H:%M}: {vote.reason}"


def tell_missing(linkage: Linkage) -> str:
    """Say who still has to do what."""
    match linkage.state:
        case LinkageState.SUBMITTED if linkage.mode == LinkageMode.BREAK_GLASS:
            return (
                f"one approval, by a guardian of {linkage.project} who is not "
                f"{_parties(linkage)}"
            )
        case LinkageState.SUBMITTED | LinkageState.PARTIALLY_REVIEWED:
            return _tell_missing_reviews(linkage)
        case LinkageState.APPROVED:
            return f"nothing; {linkage.redeemer} runs `pseudo linkage redeem`"
        case LinkageState.AWAITING_SECOND_REVIEW:
            return "the second review, by somebody who has not reviewed it"
        case _:
            return "nothing"


def _tell_missing_reviews(linkage: Linkage) -> str:
    given = len(linkage.votes) + linkage.hidden_votes
    consented = {project for vote in linkage.votes for project in vote.guardian_of}
    wanted = [
        project
        for project in (linkage.project, linkage.target_project)
        if project and project not in consented
    ]
    reviews = max(1, ENOUGH - given)
    guardians = f", and a guardian of {' and one of '.join(wanted)} among the approvers"
    unseen = " (a hidden one may be theirs)" if linkage.hidden_votes and wanted else ""
    return (
        f"{count_of(reviews, 'review')} by others than {_parties(linkage)}"
        f"{guardians if wanted else ''}{unseen}"
    )


def _parties(linkage: Linkage) -> str:
    people = dict.fromkeys((linkage.requester, linkage.redeemer))
    return " or ".join(people)


def _say_pseudonyms(pseudonyms: Sequence[str]) -> None:
    if not pseudonyms:
        return
    say("What it asks for:")
    for text in pseudonyms[:SHOWN_PSEUDONYMS]:
        say(f"  {text}")
    if len(pseudonyms) > SHOWN_PSEUDONYMS:
        say(f"  and {len(pseudonyms) - SHOWN_PSEUDONYMS:,} more; --json lists them all")


def _say_overlaps(details: LinkageDetails) -> None:
    if not details.overlaps:
        return
    say("Others asked for some of the same:")
    show_table(
        ("request", "shared", "state", "asked by", "on"),
        [
            (
                each.request_id,
                f"{each.shared:,}",
                each.state.replace("_", " "),
                each.requester,
                f"{each.submitted_at:%Y-%m-%d}",
            )
            for each in details.overlaps[:SHOWN_OVERLAPS]
        ],
        numbers=frozenset({"shared"}),
        whole=frozenset({"request"}),
    )
    if len(details.overlaps) > SHOWN_OVERLAPS:
        more = len(details.overlaps) - SHOWN_OVERLAPS
        say(f"  and {count_of(more, 'more request')}; --json lists them all")


def describe_linkage(linkage: Linkage) -> dict[str, Any]:
    """Return a request as ``--json`` gives it."""
    return {
        "request_id": linkage.request_id,
        "verb": linkage.verb,
        "mode": linkage.mode,
        "project": linkage.project,
        "target_project": linkage.target_project,
        "purpose": linkage.purpose,
        "legal_basis": linkage.legal_basis,
        "consent_reference": linkage.consent_reference,
        "requester": linkage.requester,
        "redeemer": linkage.redeemer,
        "recipient_key": linkage.recipient_key.hex(),
        "recipient_fingerprint": write_fingerprint(linkage.recipient_key),
        "submitted_at": linkage.submitted_at.isoformat(),
        "expires_at": linkage.expires_at.isoformat(),
        "subject_count": linkage.subject_count,
        "digest": linkage.digest.hex(),
        "state": linkage.state,
        "votes": [
            {
                "reviewer": vote.reviewer,
                "guardian_of": list(vote.guardian_of),
                "decision": vote.decision,
                "reason": vote.reason,
                "at": vote.at.isoformat(),
            }
            for vote in linkage.votes
        ],
        "hidden_votes": linkage.hidden_votes,
    }


def describe_details(details: LinkageDetails) -> dict[str, Any]:
    """Return a request with its pseudonyms and overlaps as ``--json`` gives it."""
    return {
        **describe_linkage(details.linkage),
        "missing": tell_missing(details.linkage),
        "pseudonyms": list(details.pseudonyms),
        "overlaps": [
            {
                "request_id": each.request_id,
                "shared": each.shared,
                "state": each.state,
                "requester": each.requester,
                "submitted_at": each.submitted_at.isoformat(),
            }
            for each in details.overlaps
        ],
    }


def is_what_is_shown(details: LinkageDetails) -> bool | None:
    """Tell whether the digest is really that of what is shown.

    Recomputed here, so that a service that shows one thing and has another approved
    is found out.

    Returns:
        None where the subjects are not shown: those of "locate" never are.
    """
    linkage = details.linkage
    if not details.pseudonyms:
        return None
    try:
        request = LinkageRequest(
            request_id=linkage.request_id,
            verb=LinkageVerb(linkage.verb),
            mode=LinkageMode(linkage.mode),
            project=linkage.project,
            target_project=linkage.target_project,
            subjects=details.pseudonyms,
            purpose=linkage.purpose,
            legal_basis=LegalBasis(linkage.legal_basis),
            consent_reference=linkage.consent_reference,
            requester=linkage.requester,
            redeemer=linkage.redeemer,
            recipient_key=linkage.recipient_key,
            submitted_at=linkage.submitted_at,
            expires_at=linkage.expires_at,
        )
    except ValueError:  # a choice that this version does not know
        return False
    return request.digest() == linkage.digest
