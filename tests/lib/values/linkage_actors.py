"""The people around a linkage request, by the roles that they hold."""

from pseudo_service.core.access.roles import Actor, RoleGrant


def act(subject: str, *roles: str) -> Actor:
    grants = frozenset(RoleGrant.parse(role) for role in roles)
    return Actor(subject=subject, grants=grants, expires_at=None)


OFFICER = act("officer", "linkage_officer:asthma")
COLLEAGUE = act("colleague", "linkage_officer:asthma")
THIRD = act("third", "linkage_officer:asthma")
GUARDIAN = act("guardian", "guardian:asthma")
SECOND_GUARDIAN = act("guardian-2", "guardian:asthma")
STROKE_GUARDIAN = act("guardian-3", "guardian:stroke")
RESEARCHER = act("researcher", "researcher:asthma")
AUDITOR = act("auditor", "auditor")
STRANGER = act("stranger", "linkage_officer:stroke", "guardian:stroke")
