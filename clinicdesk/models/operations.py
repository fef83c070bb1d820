"""Schema `clinic`: what the clinic knows about itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base


class Setting(Base):
    """One setting of the clinic (name, address, letterhead, zone, appointment minutes …)."""

    __tablename__ = "settings"
    __table_args__ = (CheckConstraint("key ~ '^[a-z_]{2,40}$'", name="key"), {"schema": "clinic"})
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}
