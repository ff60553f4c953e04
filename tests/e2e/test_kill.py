"""SIGKILL at any moment: what was answered is in the register and in the trail."""

import contextlib
import random
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pyarrow as pa

from pseudo_service.adapters.entropy import SystemEntropy
from pseudo_service.bootstrap import read_audit_verifier
from pseudo_service.bootstrap.external_services import open_key_vault
from pseudo_service.config import Config
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.services.served import (
    ServerPool,
    await_serving,
    describe_service,
    hold_free_port,
    write_config,
)
from tests.lib.services.service import RunningService
from tests.lib.services.wire import TableWire, make_header, make_message
from tests.lib.stores.reopened_register import reopen_register
from tests.lib.values.cohort import make_batch, make_numbers
from tests.lib.values.trail import read_stored_events, verify_stored_trail

ROUNDS = 20
ROWS = 25
LONGEST_LIFE = 0.3
NUMBERS = make_numbers(100_000, 60_000)


@dataclass
class Answered:
    """All that any process answered before it was killed."""

    patients: dict[str, str] = field(default_factory=dict)
    batches: list[tuple[str, int]] = field(default_factory=list)
    used: int = 0

    def draw_batch(self, draw: random.Random) -> pa.RecordBatch:
        """Return a batch of new patients and of some that came before."""
        known = draw.sample(sorted(self.patients.values()), min(5, len(self.patients)))
        fresh = NUMBERS[self.used : self.used + ROWS - len(known)]
        self.used += len(fresh)
        return make_batch([*known, *fresh])


def stream_until_killed(
    service: RunningService,
    operation: str,
    answered: Answered,
    draw: random.Random,
    begun: threading.Event,
) -> None:
    """Send batches, two in flight, and note what is answered, until the end."""
    stream = TableWire(service).send(make_header(operation_id=operation))
    waiting: list[pa.RecordBatch] = []
    with contextlib.suppress(grpc.RpcError, StopIteration):
        schema = stream.open()
        for sequence in range(10_000):
            batch = answered.draw_batch(draw)
            waiting.append(batch)
            stream.send(make_message(sequence, batch))
            if len(waiting) < 2:
                continue
            sent = waiting.pop(0)["nhs_number"].to_pylist()
            pseudonyms = stream.receive_batch(schema)["patient"].to_pylist()
            answered.patients.update(zip(pseudonyms, sent, strict=True))
            answered.batches.append((operation, sequence - 1))
            begun.set()
    stream.close()


class Auditor:
    """Reads register and trail; opens the vault's keys once, which takes a while."""

    def __init__(self, config: Config) -> None:
        self.vault = open_key_vault(config, clock=FakeClock(), entropy=SystemEntropy())
        self.verify = read_audit_verifier(config)


def check(service: RunningService, answered: Answered, auditor: Auditor) -> None:
    """Fail unless register and trail account for every answer."""
    with reopen_register(service.config, auditor.vault) as register:
        register.check_blind_index()
        known = register.recompute("asthma")
    assert {name: known.get(name) for name in answered.patients} == answered.patients
    intents = {
        (event["operation"], event["details"]["batch"])
        for event in read_stored_events(service.config, "batch_intent")
    }
    assert set(answered.batches) <= intents
    verdict = verify_stored_trail(service.config, auditor.verify)
    assert verdict.findings == ()


def test_nothing_that_was_answered_is_lost(state: Path) -> None:
    draw = random.Random(20_260_301)
    answered = Answered()
    nursery = ServerPool(state.parent)
    with hold_free_port() as port, contextlib.closing(nursery):
        config = write_config(state, port, audit={"checkpoint_seconds": 1})
        service = describe_service(state, port)
        auditor = Auditor(service.config)
        for number in range(ROUNDS):
            nursery.start(config)
            await_serving(service)
            operation = f"round-number-{number}"
            _stream_and_kill(service, nursery, operation, answered, draw)
            check(service, answered, auditor)
        assert len(answered.batches) >= 2 * ROUNDS
        nursery.start(config)
        await_serving(service)
        _check_resend(service, answered)
        service.closing.close()
        assert nursery.end(signal.SIGTERM) == 0
    check(service, answered, auditor)
    events = read_stored_events(service.config, "table_finished")
    assert [event["operation"] for event in events] == ["after-all-rounds"]


def _stream_and_kill(
    service: RunningService,
    nursery: ServerPool,
    operation: str,
    answered: Answered,
    draw: random.Random,
) -> None:
    begun = threading.Event()
    client = threading.Thread(
        target=stream_until_killed,
        args=(service, operation, answered, random.Random(operation), begun),
    )
    client.start()
    begun.wait(20)
    time.sleep(draw.uniform(0, LONGEST_LIFE))
    assert nursery.end(signal.SIGKILL) == -signal.SIGKILL
    client.join(30)
    assert not client.is_alive()


def _check_resend(service: RunningService, answered: Answered) -> None:
    """Who comes again has the pseudonym that he had."""
    chosen = sorted(answered.patients.items())[:500]
    table = make_batch([patient for _, patient in chosen])
    again = service.deidentify(table, operation_id="after-all-rounds")
    assert again["patient"].to_pylist() == [name for name, _ in chosen]
