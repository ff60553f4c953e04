"""No memory of a process that held keys or identifiers is written when it dies."""

import resource


def forbid_core_dumps() -> None:
    """Let no core dump of this process, or of one that it starts, be written.

    A handler that the kernel pipes dumps to (``core_pattern``) is told the limit and
    must keep it; those of systemd and Ubuntu do.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
