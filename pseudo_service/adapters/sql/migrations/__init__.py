"""Alembic migrations, run by ``pseudo_service.adapters.sql.migrate``."""
