"""Alembic's entry: run the migrations over the connection that storage/schema.py hands in, as the owner of the clinic's tables."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="alembic_version", transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
