"""What can be taken back, series of appointments, and messages that wait until then: migrations/sql/0005_undo_and_series.sql."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Add what the file says, as clinicdesk_owner; sent as it is, so that a percent sign means itself."""
    op.get_bind().connection.cursor().execute((SQL / "0005_undo_and_series.sql").read_text(encoding="utf-8"))
