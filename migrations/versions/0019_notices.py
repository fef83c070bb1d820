"""Notices that hold no others: migrations/sql/0022_notices.sql."""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Add what the file says, as clinicdesk_owner; sent as it is, so that a percent sign means itself."""
    op.get_bind().connection.cursor().execute((SQL / "0022_notices.sql").read_text(encoding="utf-8"))
