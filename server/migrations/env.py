"""Alembic runs this; the connection, already in a transaction, comes from `upgrade.py`."""

from alembic import context

from server.migrations.upgrade import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters tables by copying
)
with context.begin_transaction():
    context.run_migrations()
