"""Fixtures that every test may ask for, and what keeps chance out of every test."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.lib.harnesses import network

pytest_plugins = [
    "tests.lib.stores.databases",
    "tests.lib.services.service",
    "tests.lib.harnesses.text_pools",
]

# The same examples in every run, and no verdict of the clock. `explore` looks for new ones.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, print_blob=True
)
settings.register_profile("explore", deadline=None, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

network.install()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Guard the network before the first fixture, whatever its scope."""
    network.begin(item.path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test whose code met the guard and kept silent about it."""
    yield
    refused = network.take_refusals()
    if refused:
        msg = f"the test reached for the network: {', '.join(sorted(set(refused)))}"
        raise network.NetworkRefused(msg)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seed of the order, which a quiet run leaves out."""
    seed = terminalreporter.config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"order: repeat it with --randomly-seed={seed}")
