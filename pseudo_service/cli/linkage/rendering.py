"""A linkage request in plain words: what it asks, who asks, and what is missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from pseudo_client import Linkage, LinkageDetails, Vote
from pseudo_service.cli.console.output import count_of, say, say_field, show_table
from pseudo_service.cli.linkage.officer_keys import write_fingerprint
from pseudo_service.core.linkage.approval import REVIEWERS_NEEDED
from pseudo_service.core.linkage.request import (
    Decision,
    LinkageMode,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
    terms_from_fields,
    terms_to_fields,
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
        say_field("review", describe_vote(vote))
    if linkage.hidden_votes:
        say_field("review", f"{linkage.hidden_votes} hidden until the next one is in")
    say_field("missing", describe_missing(linkage))
    _print_pseudonyms(details.pseudonyms)
    _print_overlaps(details)


def summarise_request(linkage: Linkage) -> str:
    """Return one sentence on what the request would do."""
    what = count_of(linkage.subject_count, "pseudonym")
    match linkage.verb:
        case LinkageVerb.REIDENTIFY:
            task = f"Tell the identifiers behind {what} of {linkage.project}"
        case LinkageVerb.TRANSLATE:
            task = (
                f"Turn {what} of {linkage.project} into those of "
                f"{linkage.target_project}, without telling who they are"
            )
        case _:
            task = "Tell which projects hold one person"
    urgent = linkage.mode == LinkageMode.BREAK_GLASS
    return f"{task}{', in an emergency' if urgent else ''}."


def describe_vote(vote: Vote) -> str:
    """Return one review in words."""
    office = (
        f", guardian of {' and '.join(vote.guardian_of)}" if vote.guardian_of else ""
    )
    done = "approved" if vote.decision == Decision.APPROVE else "rejected"
    return f"{vote.reviewer}{office} {done} on {vote.at:%Y-%m-%d %H:%M}: {vote.reason}"


def describe_missing(linkage: Linkage) -> str:
    """Return what is missing, and from which people."""
    match linkage.state:
        case LinkageState.SUBMITTED if linkage.mode == LinkageMode.BREAK_GLASS:
            return (
                f"one approval, by a guardian of {linkage.project} who is not "
                f"{_name_parties(linkage)}"
            )
        case LinkageState.SUBMITTED | LinkageState.PARTIALLY_REVIEWED:
            return _describe_missing_reviews(linkage)
        case LinkageState.APPROVED:
            return f"nothing; {linkage.redeemer} runs `pseudo linkage redeem`"
        case LinkageState.AWAITING_SECOND_REVIEW:
            return "the second review, by somebody who has not reviewed it"
        case _:
            return "nothing"


def _describe_missing_reviews(linkage: Linkage) -> str:
    given = len(linkage.votes) + linkage.hidden_votes
    consented = {project for vote in linkage.votes for project in vote.guardian_of}
    wanted = [
        project
        for project in (linkage.project, linkage.target_project)
        if project and project not in consented
    ]
    reviews = max(1, REVIEWERS_NEEDED - given)
    guardians = f", and a guardian of {' and one of '.join(wanted)} among the approvers"
    unseen = " (a hidden one may be theirs)" if linkage.hidden_votes and wanted else ""
    return (
        f"{count_of(reviews, 'review')} by others than {_name_parties(linkage)}"
        f"{guardians if wanted else ''}{unseen}"
    )


def _name_parties(linkage: Linkage) -> str:
    people = dict.fromkeys((linkage.requester, linkage.redeemer))
    return " or ".join(people)


def _print_pseudonyms(pseudonyms: Sequence[str]) -> None:
    if not pseudonyms:
        return
    say("What it asks for:")
    for text in pseudonyms[:SHOWN_PSEUDONYMS]:
        say(f"  {text}")
    if len(pseudonyms) > SHOWN_PSEUDONYMS:
        say(f"  and {len(pseudonyms) - SHOWN_PSEUDONYMS:,} more; --json lists them all")


def _print_overlaps(details: LinkageDetails) -> None:
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
        **terms_to_fields(linkage),
        "recipient_fingerprint": write_fingerprint(linkage.recipient_key),
        "requester": linkage.requester,
        "submitted_at": linkage.submitted_at.isoformat(),
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
        "missing": describe_missing(details.linkage),
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
    """Return whether the digest is that of the request as it is shown.

    The digest is recomputed here. A service that shows one request and has another
    approved is thereby found out.

    Returns:
        None where the subjects are not shown: those of "locate" never are.
    """
    linkage = details.linkage
    if not details.pseudonyms:
        return None
    try:
        terms = terms_from_fields(terms_to_fields(linkage))
    except ValueError:  # a choice that this version does not know
        return False
    request = LinkageRequest(
        request_id=linkage.request_id,
        requester=linkage.requester,
        submitted_at=linkage.submitted_at,
        terms=terms,
        subjects=details.pseudonyms,
    )
    return request.digest() == linkage.digest
