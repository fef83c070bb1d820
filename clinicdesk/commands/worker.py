"""`clinicdesk worker`: deliver visits and do the other jobs beside a server, without a window."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import typer

from clinicdesk.commands.options import DataDir, settings_for

if TYPE_CHECKING:
    from clinicdesk.clinic import Clinic
    from clinicdesk.config import Settings
    from clinicdesk.storage.servers import Servers


def worker(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """Do the clinic's jobs until Ctrl+C or SIGTERM. One beside a shared server is enough; more do no harm."""
    from clinicdesk.backups import nightly_of
    from clinicdesk.errors import CannotStart
    from clinicdesk.jobs.worker import Worker
    from clinicdesk.storage import schema
    from clinicdesk.storage.database import Database
    from clinicdesk.storage.documents import Documents
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
        database = Database(url, zone=settings.zone)
        database.documents = Documents(servers.addresses.documents, settings.mongodb_db_name, settings.mongodb_collection_name)
        clinic = _clinic_to_back_up(settings, servers)
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
            database.documents.close()
            database.engine.dispose()
    finally:
        servers.close()
    typer.echo("Ended.")


def _clinic_to_back_up(settings: Settings, servers: Servers) -> Clinic | None:
    """The clinic for nightly backups, where this computer may read all of it and holds its key; the servers stay the command's."""
    from clinicdesk.clinic import Clinic, stored_key
    from clinicdesk.credentials import Credentials
    from clinicdesk.storage.vault import Vault

    key = stored_key(Credentials(settings.data_dir))
    if key is None or not (servers.addresses.backup or servers.addresses.owner):
        return None
    return Clinic(settings, servers.addresses, vault=Vault(key), zone=settings.zone)
