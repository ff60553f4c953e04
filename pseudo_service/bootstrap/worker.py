"""One worker of ``pseudo serve --workers N``: CONFIG and ADDRESS as arguments."""

import os
import sys
import threading
import time
from pathlib import Path

from pseudo_service.bootstrap.processes import catch_signals, run_worker
from pseudo_service.config import load_config
from pseudo_service.core.errors import PseudoError


def main(arguments: list[str]) -> int:
    """Serve; a refusal is one line on stderr and exit code 2."""
    config_path, address = arguments
    stopping = catch_signals()
    threading.Thread(target=_watch_parent, args=(stopping,), daemon=True).start()
    try:
        return run_worker(load_config(Path(config_path)), address, stopping)
    except PseudoError as refusal:
        sys.stderr.write(f"{refusal.code}: {refusal.message}\n")
        return 2


def _watch_parent(stopping: threading.Event) -> None:
    """Stop when the parent is gone: an orphan would hold the port for ever."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1.0)
    stopping.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
