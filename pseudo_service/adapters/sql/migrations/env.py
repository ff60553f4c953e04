"""Alembic runs this: migrate over the connection, and the lock, of the caller."""

from alembic import context

from pseudo_service.adapters.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata
)
with context.begin_transaction():
    context.run_migrations()
