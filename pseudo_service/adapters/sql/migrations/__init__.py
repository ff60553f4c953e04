"""Alembic migrations, run by ``pseudo_service.adapters.sql.migrate``."""

from typing import Final

HEAD: Final = "0002"
"""The revision of the newest migration in ``versions``; a test compares them."""
