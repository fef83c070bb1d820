"""Backups and their proofs: migrations/sql/0016_backup.sql."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Add what the file says, as clinicdesk_owner; sent as it is, so that a percent sign means itself."""
    op.get_bind().connection.cursor().execute((SQL / "0016_backup.sql").read_text(encoding="utf-8"))
