"""Fixtures that every test may ask for, and what keeps chance out of every test."""

import os

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


def pytest_configure(config: pytest.Config) -> None:
    """Guard the network of every test of the run, also of those beside this folder."""
    network.install()
    config.pluginmanager.register(network.GuardedTests(), "guarded-network")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seed of the order, which a quiet run leaves out."""
    seed = terminalreporter.config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"order: repeat it with --randomly-seed={seed}")
