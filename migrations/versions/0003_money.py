"""Charges, payments, the wallet and the close of a day: migrations/sql/0006_money.sql."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Add what the file says, as clinicdesk_owner; sent as it is, so that a percent sign means itself."""
    op.get_bind().connection.cursor().execute((SQL / "0006_money.sql").read_text(encoding="utf-8"))
