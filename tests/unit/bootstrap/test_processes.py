"""How a process ends, whatever hangs in it."""

import subprocess
import sys
import time

PROGRAM = """
import threading, time
from pseudo_service.bootstrap.processes import end_at_last

class Telemetry:
    def log(self, name, level):
        print(name, level.name, flush=True)

threading.Thread(target=lambda: time.sleep(120)).start()
end_at_last(0.2, Telemetry())
"""


def test_a_process_ends_although_a_thread_hangs() -> None:
    started = time.monotonic()
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stdout == "end_forced ERROR\n"
    assert time.monotonic() - started < 60
