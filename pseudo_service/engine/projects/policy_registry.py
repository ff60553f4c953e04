"""Registering and reading policies: immutable, addressed as project/release@n."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import PolicyInvalid
from pseudo_service.core.policies.policy import Policy, parse_policy
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.policies import PolicyStore, StoredPolicy
from pseudo_service.ports.projects import ProjectStore

_ADDRESS = re.compile(
    r"(?:([a-z][a-z0-9-]{2,39})/)?([a-z][a-z0-9_-]{0,39})@([1-9]\d{0,5})"
)
_KEPT = 64
"""Parsed policies; the text of each has at most 256 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredPolicy:
    """A policy with its digest, which is long to compute for each of many calls."""

    policy: Policy
    digest: bytes


class PolicyRegistry:
    """Keeps the policies of all projects."""

    def __init__(
        self,
        *,
        projects: ProjectStore,
        policies: PolicyStore,
        clock: Clock,
        access_control: AccessControl,
    ) -> None:
        self._projects = projects
        self._policies = policies
        self._clock = clock
        self._access_control = access_control

    def register(self, text: str, actor: Actor) -> StoredPolicy:
        """Check a policy's text and keep it; the same text again changes nothing.

        Raises:
            PolicyInvalid: The text breaks a rule.
            PolicyExists: Another text stands under this release and number.
        """
        self._access_control.require(actor, Permission.MANAGE_POLICIES)
        policy = parse_policy(text)
        self._projects.get(policy.project).check_active()
        stored = StoredPolicy(
            project=policy.project,
            release=policy.release,
            number=policy.number,
            text=text,
            digest=policy.digest,
            registered_at=self._clock.now(),
            registered_by=actor.subject,
        )
        event = AuditEvent(
            kind=AuditKind.POLICY_REGISTERED,
            at=stored.registered_at,
            actor=actor.subject,
            project=policy.project,
            details={"policy": policy.address, "digest": policy.digest.hex()},
        )
        self._policies.add(stored, event)
        return self._policies.get(policy.project, policy.release, policy.number)

    def get(self, project: str, address: str, actor: Actor) -> StoredPolicy:
        """Return a registered policy; raises ``PolicyUnknown``."""
        self._access_control.require(actor, Permission.READ_POLICIES, project)
        release, number = parse_address(address, project)
        return self._policies.get(project, release, number)

    def list(self, project: str, actor: Actor) -> Sequence[StoredPolicy]:
        """Return a project's policies by release and number."""
        self._access_control.require(actor, Permission.READ_POLICIES, project)
        self._projects.get(project)
        return self._policies.list(project)

    def resolve(self, project: str, address: str) -> RegisteredPolicy:
        """Return the parsed policy for an operation; the caller was admitted before.

        Raises:
            PolicyUnknown: Nothing is registered there.
            PolicyInvalid: The stored text no longer has its digest.
        """
        release, number = parse_address(address, project)
        stored = self._policies.get(project, release, number)
        found = _read_policy(stored.text)
        if found.digest != stored.digest or found.policy.address != (
            f"{project}/{release}@{number}"
        ):
            msg = (
                f"policy {release}@{number}: the stored text was changed; stop using it"
            )
            raise PolicyInvalid(msg)
        return found


@lru_cache(maxsize=_KEPT)
def _read_policy(text: str) -> RegisteredPolicy:
    """Return the policy of a stored text; a text has one meaning, so it is kept."""
    policy = parse_policy(text)
    return RegisteredPolicy(policy=policy, digest=policy.digest)


def parse_address(address: str, project: str) -> tuple[str, int]:
    """Return release and number of ``[project/]release@n``.

    Raises:
        PolicyInvalid: Not of that form, or of another project.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or match[1] not in (None, project):
        msg = f"policy: give release@number of project {project}, such as cohort@1"
        raise PolicyInvalid(msg)
    return match[2], int(match[3])
