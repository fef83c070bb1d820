"""Which people were erased since a backup was taken: every ledger the computer that restores can reach.

The newest erasure may be known only where it was done or on the clinic's servers, so a file on this computer alone proves nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from clinicdesk.config import Settings
from clinicdesk.errors import ClinicError
from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import erasing
from clinicdesk.services.erasing import Line
from clinicdesk.storage.database import Database
from clinicdesk.storage.documents import Documents
from clinicdesk.storage.servers import shared_database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """The ledgers that were found; `whole` when one of them is kept where every erasure of the clinic is written down."""

    ledgers: list[list[Line]]
    whole: bool

    def caution(self, taken_at: datetime) -> str:
        """What to do about people who may have been erased since the backup; "" where there can be none that were not erased again."""
        if self.whole:
            return ""
        found = ("The ledger of erasures on this computer may lack the newest ones." if any(self.ledgers)
                 else "This computer has no ledger of erasures.")
        return (f"{found} Whoever was erased after {clinical_date(taken_at.date())} may be readable again: copy {erasing.LEDGER} from the"
                " computer where people are erased to this one and restore once more, or erase them again.")


def gather(settings: Settings, *, own: bool) -> Known:
    """The ledgers that these settings lead to: the file of the folder, and the shared servers where they answer (seconds when they do not).

    `own` says that the folder belongs to the clinic of the backup; with databases of its own it then has seen every erasure.
    """
    ledgers = [erasing.read_ledger(settings.data_dir / erasing.LEDGER)]
    whole = own and settings.database_url is None and (settings.data_dir / "postgresql").is_dir()
    for there in (_in_database, _beside_documents):
        try:
            lines = there(settings)
        except ClinicError as away:
            log.warning("a ledger of erasures could not be asked for: %s", away.sentence)
            continue
        if lines is not None:
            ledgers.append(lines)
            whole = True
    return Known(ledgers, whole)


def _in_database(settings: Settings) -> list[Line] | None:
    """None without a shared database, or where this computer's sign-in may not read the ledger."""
    if settings.database_url is None:
        return None
    addresses = shared_database(settings.database_url.get_secret_value(), require_tls=settings.require_tls)
    url = addresses.owner or addresses.worker
    if url is None:
        return None
    database = Database(url)
    try:
        with database.read() as session:
            return erasing.ledger(session)
    finally:
        database.close()


def _beside_documents(settings: Settings) -> list[Line] | None:
    if settings.mongodb_uri is None:
        return None
    documents = Documents(settings.mongodb_uri.get_secret_value(), settings.mongodb_db_name, settings.mongodb_collection_name)
    try:
        return [Line(**row) for row in documents.erasures()]
    finally:
        documents.close()
