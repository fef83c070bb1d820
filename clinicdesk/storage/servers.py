"""From the settings to open addresses: start our own servers, or find out what somebody else's sign-in may do."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from clinicdesk.config import Settings
from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart
from clinicdesk.storage import connections
from clinicdesk.storage.addresses import (
    APP,
    BACKUP,
    OWNER,
    ROLES,
    WORKER,
    Addresses,
    as_role,
    ensure_roles,
    libpq_parameters,
    postgres_url,
    roles_to_act_as,
)
from clinicdesk.storage.embedded import EmbeddedServers

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Servers:
    """Open addresses and, where the servers are our own, the say in when they stop. Close it exactly once, last of all."""

    addresses: Addresses
    embedded: EmbeddedServers | None

    def revive(self) -> None:
        """Bring back an own server that died; the addresses stay the same unless its port was taken meanwhile. Takes seconds."""
        if self.embedded and not all(self.embedded.running().values()):
            log.info("a server of this clinic is gone and is started again")
            again = self.embedded.start()
            self.addresses = _merged(again, self.addresses)

    def renew_documents(self) -> Path | None:
        """Put the own document store aside and start an empty one; where the old one is. What it held must be sent again."""
        aside = self.embedded.renew_documents() if self.embedded else None
        if self.embedded:
            self.addresses = _merged(self.embedded.start(), self.addresses)
        return aside

    def end_broken_documents(self) -> None:
        """End the own document server, which lives and does not do its work."""
        if self.embedded:
            self.embedded.end_broken_documents()

    def needs_reviving(self) -> bool:
        """Whether an own server that should run does not."""
        return self.embedded is not None and self.embedded.needs_reviving()

    def close(self) -> None:
        """Stop using the servers; the last ClinicDesk of this folder stops its own."""
        if self.embedded:
            self.embedded.stop()


def open_servers(settings: Settings, credentials: Credentials | None = None) -> Servers:
    """Addresses that work, for the servers the settings name; an own server is started where they name none.

    Takes up to seconds (first start about two). Raises CannotStart with the code, sentence and advice of `clinicdesk check`.
    """
    shared = shared_database(settings.database_url.get_secret_value(), require_tls=settings.require_tls) if settings.database_url else None
    if settings.mongodb_uri and (wrong := connections.documents_trouble(settings)):
        raise CannotStart(wrong.code, wrong.sentence, wrong.advice)
    documents = settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else ""
    if shared and documents:
        return Servers(replace(shared, documents=documents, embedded_documents=False), None)
    embedded = embedded_servers(settings, credentials or Credentials(settings.data_dir))
    started = embedded.start()
    given = shared or Addresses(app="", documents="")
    return Servers(_merged(started, replace(given, documents=documents, embedded_database=not shared, embedded_documents=not documents)),
                   embedded)


def embedded_servers(settings: Settings, credentials: Credentials) -> EmbeddedServers:
    """The own servers these settings call for, not started."""
    return EmbeddedServers(settings.data_dir, credentials, documents_db=settings.mongodb_db_name,
                           want_database=settings.database_url is None, want_documents=settings.mongodb_uri is None)


def _merged(started: Addresses, given: Addresses) -> Addresses:
    """What was started, with the shared half of `given`."""
    merged = started
    if not given.embedded_database:
        merged = replace(merged, app=given.app, owner=given.owner, worker=given.worker, backup=given.backup, admin=None,
                         embedded_database=False)
    if not given.embedded_documents:
        merged = replace(merged, documents=given.documents, documents_admin=None, embedded_documents=False)
    return merged


def shared_database(url: str, *, require_tls: bool = False) -> Addresses:
    """Who this sign-in may be on a shared PostgreSQL, creating the four roles where it may (documents stay empty).

    The role `clinicdesk_app` is used as it is, and so are the owner and the worker. Any other sign-in acts as the role for each
    purpose (`-c role=…`), for which it must be a member of it.
    """
    try:
        parameters = secured(libpq_parameters(url), require_tls=require_tls)
        with psycopg.connect(make_conninfo("", **{"connect_timeout": "5", **parameters}), autocommit=True) as connection:
            return _roles_of(connection, parameters)
    except psycopg.Error as error:
        wrong = connections.explain_database(url, error, require_tls=require_tls)
        raise CannotStart(wrong.code, wrong.sentence, wrong.advice) from None


def secured(parameters: Mapping[str, str], *, require_tls: bool) -> dict[str, str]:
    """The same with TLS demanded where the settings do; a stricter sslmode stays."""
    strict = parameters.get("sslmode") in {"require", "verify-ca", "verify-full"}
    return {**parameters, **({"sslmode": "require"} if require_tls and not strict else {})}


def _roles_of(connection: psycopg.Connection[Any], parameters: Mapping[str, str]) -> Addresses:
    found = connection.execute("SELECT current_user, rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user").fetchone()
    me, may_create = found or ("", False)
    given = postgres_url(parameters)
    if me in ROLES:
        return Addresses(app=given, documents="", owner=given if me == OWNER else None, worker=given if me == WORKER else None,
                         embedded_database=False)
    if may_create:
        with contextlib.suppress(errors.InsufficientPrivilege):  # roles somebody else made: membership is looked at below
            ensure_roles(connection)
        _open_database(connection)
    mine = roles_to_act_as(connection)
    if APP not in mine:
        raise CannotStart("role_not_allowed", f"The database role “{me}” may not work as {APP}.",
                          f"Have the server's administrator run: GRANT {APP} TO {sql.Identifier(me).as_string(connection)};")
    return Addresses(app=as_role(parameters, APP), documents="", owner=as_role(parameters, OWNER) if OWNER in mine else None,
                     worker=as_role(parameters, WORKER) if WORKER in mine else None,
                     backup=as_role(parameters, BACKUP) if BACKUP in mine and _stands_above(connection) else None, embedded_database=False)


def _stands_above(connection: psycopg.Connection[Any]) -> bool:
    """Whether the role for backups sees every row here: only a superuser can have given it that."""
    return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s AND rolbypassrls", [BACKUP]).fetchone() is not None


def _open_database(connection: psycopg.Connection[Any]) -> None:
    """Let the owner role build in this database and the others connect to it, as far as this sign-in may grant that."""
    database = sql.Identifier(connection.info.dbname)
    for grant in (sql.SQL("GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {} TO clinicdesk_owner").format(database),
                  sql.SQL("GRANT CONNECT ON DATABASE {} TO clinicdesk_app, clinicdesk_worker, clinicdesk_backup").format(database),
                  sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO clinicdesk_owner")):
        with contextlib.suppress(errors.InsufficientPrivilege, errors.InvalidSchemaName):
            connection.execute(grant)
