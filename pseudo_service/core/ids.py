"""Types of the ids that travel through every room.

Each is its text or number at run time. mypy tells one from another, so that no
operation passes for a project and no key version for a count. The edges that decode a
request, a command line or a row construct them.
"""

from typing import Final, NewType

ProjectId = NewType("ProjectId", str)
"""The id of a project, as ``pseudo project create`` took it."""

OperationId = NewType("OperationId", str)
"""The id of one run, stream or call; its audit events and disclosures carry it."""

KeyVersion = NewType("KeyVersion", int)
"""The version of a project's key: 1 or more, in every pseudonym made under it."""

NO_KEY_VERSION: Final = KeyVersion(0)
"""What stands where no version is meant; on the wire too, where 0 is "not given"."""
