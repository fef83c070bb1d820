"""The first release: tables, the job queue, sign-in, guards and policies, as reviewed SQL in migrations/sql.

The queue's own tables come from the installed procrastinate, whose version is pinned, in a schema of their own.
"""

from pathlib import Path

from alembic import op

from clinicdesk.jobs.queue import queue_schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def run(text: str) -> None:
    """Send a script as it is: no parameters, so that a percent sign means itself."""
    op.get_bind().connection.cursor().execute(text)


def upgrade() -> None:
    """Build the clinic in an empty database, as clinicdesk_owner."""
    run((SQL / "0001_tables.sql").read_text(encoding="utf-8"))
    run("create schema jobs; set local search_path = jobs")
    run(queue_schema())
    run("reset search_path")
    for name in ("0002_sign_in.sql", "0003_guards.sql", "0004_policies.sql"):
        run((SQL / name).read_text(encoding="utf-8"))
