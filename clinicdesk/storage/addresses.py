"""Where the databases are and as whom to connect: one shape, whether the servers are our own or somebody else's.

Database roles: `clinicdesk_owner` (migrations), `clinicdesk_app` (workstations), `clinicdesk_worker` (jobs), `clinicdesk_backup`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

DATABASE = "clinicdesk"
OWNER, APP, WORKER, BACKUP = "clinicdesk_owner", "clinicdesk_app", "clinicdesk_worker", "clinicdesk_backup"
ROLES = (OWNER, APP, WORKER, BACKUP)

#: A pulled cable is noticed within about twenty seconds, a missing server within five (security-reliability.md § 3.12).
_PATIENCE = {"connect_timeout": "5", "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "3", "keepalives_count": "3",
             "application_name": "ClinicDesk"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """SQLAlchemy and MongoDB addresses; they carry passwords, so the representation shows none.

    `owner`, `worker` and `backup` are None where this computer's sign-in may not be that role: a workstation of a shared server neither
    migrates nor delivers. `admin` exists on our own servers only.
    """

    app: str = field(repr=False)
    documents: str = field(repr=False)
    owner: str | None = field(default=None, repr=False)
    worker: str | None = field(default=None, repr=False)
    backup: str | None = field(default=None, repr=False)
    admin: str | None = field(default=None, repr=False)
    documents_admin: str | None = field(default=None, repr=False)
    embedded_database: bool = True
    embedded_documents: bool = True


def libpq_parameters(address: str) -> dict[str, str]:
    """The connection parameters in any spelling people use: postgresql://, postgres://, postgresql+psycopg://, or `host=… dbname=…`.

    Passwords come back decoded. Several hosts stay comma-separated. psycopg.ProgrammingError when libpq cannot read it.
    """
    text = address.strip()
    scheme, separator, rest = text.partition("://")
    if separator and "+" in scheme and " " not in scheme:  # SQLAlchemy's spelling, but libpq's list of hosts is understood too
        try:
            text = libpq_address(f"postgresql+psycopg://{rest}")
        except (ArgumentError, ValueError):
            text = f"postgresql://{rest}"
    return {name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None}


def postgres_url(parameters: Mapping[str, str]) -> str:
    """The address for SQLAlchemy (`postgresql+psycopg://…`, password percent-encoded), with patient time limits unless given."""
    given = {**_PATIENCE, **parameters}
    hosts, ports = given.pop("host", "").split(","), given.pop("port", "").split(",")
    user, password, database = given.pop("user", None), given.pop("password", None), given.pop("dbname", None)
    query: dict[str, str | tuple[str, ...]] = dict(given)
    host: str | None = None
    port: int | None = None
    if len(hosts) > 1 or hosts[0].startswith("/"):
        every = ports * len(hosts) if len(ports) == 1 else ports
        query["host"] = tuple(f"{h}:{p or 5432}" for h, p in zip(hosts, every, strict=False)) if len(hosts) > 1 else hosts[0]
        if len(hosts) == 1 and ports[0]:
            query["port"] = ports[0]
    else:
        host, port = hosts[0] or None, int(ports[0]) if ports[0] else None
    return URL.create("postgresql+psycopg", user, password, host, port, database, query).render_as_string(hide_password=False)


def libpq_address(url: str, *, options: str = "") -> str:
    """The same address for psycopg and procrastinate: a conninfo string made from one of the `Addresses`.

    `options` (such as `-c search_path=jobs`) come on top of those in the address, which may say whose role to take.
    """
    parsed = make_url(url)
    (_, keywords) = parsed.get_dialect()().create_connect_args(parsed)
    if options:
        keywords["options"] = f"{keywords.get('options', '')} {options}".strip()
    return make_conninfo("", **{name: value for name, value in keywords.items() if value is not None and name != "context"})


def as_role(parameters: Mapping[str, str], role: str) -> str:
    """The address that signs in as given and then acts as `role`."""
    options = f"{parameters.get('options', '')} -c role={role}".strip()
    return postgres_url({**parameters, "options": options})


def ensure_roles(admin: psycopg.Connection[Any], passwords: Mapping[str, str] | None = None) -> None:
    """Create what is missing of the four roles, in an autocommit connection that may create roles.

    With `passwords` (our own server) they can sign in; without (a shared server) they cannot until its administrator gives them
    a password, and the connecting role becomes a member so that it can act as them. Idempotent; safe from two processes.
    """
    me = admin.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    is_superuser = bool(me and me[0])
    with admin.transaction():
        admin.execute("SELECT pg_advisory_xact_lock(20261121)")
        for role in ROLES:
            name = sql.Identifier(role)
            if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                admin.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(name))
            if role == BACKUP and is_superuser:
                admin.execute(sql.SQL("ALTER ROLE {} BYPASSRLS").format(name))
            if passwords is not None:
                admin.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, _verifier(admin, role, passwords[role])))
            elif not is_superuser and role not in roles_to_act_as(admin):
                admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
        # So that the owner's function auth.cut_blockers() may end the connection of a workstation that keeps others waiting.
        with suppress(psycopg.errors.InsufficientPrivilege), admin.transaction():
            admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APP), sql.Identifier(OWNER)))


def roles_to_act_as(connection: psycopg.Connection[Any]) -> set[str]:
    """Which of the four roles the connecting role may SET. From PostgreSQL 16 a member may be without that right."""
    kind = "SET" if connection.info.server_version >= 160000 else "MEMBER"
    rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND pg_has_role(current_user, oid, %s)",
                              [list(ROLES), kind]).fetchall()
    return {str(row[0]) for row in rows}


def _verifier(admin: psycopg.Connection[Any], role: str, password: str) -> sql.Literal:
    """The SCRAM verifier, computed here so that no password reaches a server's log."""
    return sql.Literal(admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode())
