"""The waiting list, its offers, and the numbers called to a room: migrations/sql/0007_waiting_list.sql."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Add what the file says, as clinicdesk_owner; sent as it is, so that a percent sign means itself."""
    op.get_bind().connection.cursor().execute((SQL / "0007_waiting_list.sql").read_text(encoding="utf-8"))
