"""`clinicdesk migrate`: bring the database and the document collection to the version of this program."""

from __future__ import annotations

import typer

from clinicdesk.commands.options import DataDir, settings_for


def migrate(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """Create or update the tables, as the database's owner. Back up first."""
    from clinicdesk.errors import CannotStart
    from clinicdesk.storage import schema
    from clinicdesk.storage.documents import Documents
    from clinicdesk.storage.servers import open_servers

    settings = settings_for(ctx, data_dir)
    servers = open_servers(settings)
    try:
        if servers.addresses.owner is None:
            raise CannotStart("role_not_allowed", "The sign-in in DATABASE_URL may not change the clinic's tables.",
                              "Run this with a DATABASE_URL that is clinicdesk_owner or a member of it.")
        revision = schema.upgrade(servers.addresses.owner)
        documents = Documents(servers.addresses.documents, settings.mongodb_db_name, settings.mongodb_collection_name)
        try:
            documents.ensure()
        finally:
            documents.close()
    finally:
        servers.close()
    typer.echo(f"The database is at version {revision}; the collection {settings.mongodb_collection_name} is ready.")
