"""What is stored: SQLAlchemy tables of the schemas `auth` and `clinic`, nothing else. Importing this package loads them all."""

from clinicdesk.models import (
    accounts,
    alerts,
    clinical,
    desk,
    erasing,
    files,
    money,
    operations,
    papers,
    people,
    prescribing,
    records,
    register,
    scheduling,
    waiting,
)
from clinicdesk.models.base import Base

__all__ = ["Base", "accounts", "alerts", "clinical", "desk", "erasing", "files", "money", "operations", "papers", "people", "prescribing",
           "records", "register", "scheduling", "waiting"]
