"""`clinicdesk worker`: deliver visits and do the other jobs beside a server, without a window."""

from __future__ import annotations

import signal
import threading

import typer

from clinicdesk.commands.options import DataDir, settings_for


def worker(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """Do the clinic's jobs until Ctrl+C or SIGTERM. One beside a shared server is enough; more do no harm."""
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
        jobs = Worker(url, database)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        jobs.start()
        typer.echo("Working; Ctrl+C ends it.")
        try:
            while not ended.wait(1.0):  # a wait without a limit would not notice a signal on Windows
                continue
        finally:
            jobs.stop()
            database.documents.close()
            database.engine.dispose()
    finally:
        servers.close()
    typer.echo("Ended.")
