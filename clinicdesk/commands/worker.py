"""`clinicdesk worker`: deliver visits and do the other jobs beside a server, without a window."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import typer

from clinicdesk.commands.options import DataDir, settings_for

if TYPE_CHECKING:
    from clinicdesk.config import Settings
    from clinicdesk.storage.addresses import Addresses
    from clinicdesk.storage.database import Database
    from clinicdesk.storage.documents import Documents
    from clinicdesk.storage.vault import Vault


def worker(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """Do the clinic's jobs until Ctrl+C or SIGTERM. One beside a shared server is enough; more do no harm.

    The computer must hold the clinic key: the anchors of the audit log and the ledger of erasures are made with it.
    """
    from clinicdesk.backups import may_back_up, nightly_of
    from clinicdesk.clinic import Clinic
    from clinicdesk.errors import CannotStart
    from clinicdesk.jobs.worker import Worker
    from clinicdesk.storage import schema
    from clinicdesk.storage.servers import open_servers

    settings = settings_for(ctx, data_dir)
    ended = threading.Event()
    servers = open_servers(settings)
    try:
        url = servers.addresses.worker
        if url is None:
            raise CannotStart("role_not_allowed", "The sign-in in DATABASE_URL may not do the clinic's jobs.",
                              "Use a DATABASE_URL that is clinicdesk_worker or a member of it.")
        schema.require_current(url)
        database, vault, documents = opened(url, servers.addresses, settings)
        clinic = Clinic(settings, servers.addresses, vault=vault, zone=settings.zone) if may_back_up(servers.addresses) else None
        jobs = Worker(url, database, nightly_of(clinic) if clinic else None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        jobs.start()
        typer.echo("Working; Ctrl+C ends it.")
        try:
            while not ended.wait(1.0):  # a wait without a limit would not notice a signal on Windows
                continue
        finally:
            jobs.stop()
            if clinic is not None:
                clinic.database.close()
                clinic.documents.close()
            documents.close()
            database.engine.dispose()
    finally:
        servers.close()
    typer.echo("Ended.")


def opened(url: str, addresses: Addresses, settings: Settings) -> tuple[Database, Vault, Documents]:
    """The worker's database with all that jobs need: documents, the folder, and the vault of the key this computer keeps.

    CannotStart when it keeps none, an old one, or when there is no clinic yet.
    """
    from clinicdesk.clinic import stored_key
    from clinicdesk.credentials import Credentials
    from clinicdesk.errors import CannotStart
    from clinicdesk.services.clinic_keys import fingerprints, vault_of
    from clinicdesk.storage.database import Database
    from clinicdesk.storage.documents import Documents

    database = Database(url, zone=settings.zone)
    with database.read() as session:
        if not fingerprints(session):
            raise CannotStart("clinic_new", "This clinic has not been set up yet.", "Open ClinicDesk once where its database is kept.")
        vault = vault_of(session, stored_key(Credentials(settings.data_dir)))
    documents = Documents(addresses.documents, settings.mongodb_db_name, settings.mongodb_collection_name)
    database.vault, database.folder, database.documents = vault, settings.data_dir, documents
    return database, vault, documents
