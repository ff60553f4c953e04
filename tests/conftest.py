"""Fixtures that every test may ask for."""

pytest_plugins = ["tests.lib.databases", "tests.lib.service", "tests.lib.text_pools"]
