"""The queue's own tables, for the migration."""

from __future__ import annotations

from procrastinate.schema import SchemaManager

#: The schema of the queue's tables; every connection of the queue has it as its search path.
QUEUE_SCHEMA = "jobs"


def queue_schema() -> str:
    """The SQL that builds the queue of the installed (pinned) procrastinate in the current search path."""
    return str(SchemaManager.get_schema())
