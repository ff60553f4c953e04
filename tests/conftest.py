"""Fixtures that every test may ask for."""

pytest_plugins = [
    "tests.lib.stores.databases",
    "tests.lib.services.service",
    "tests.lib.harnesses.text_pools",
]
