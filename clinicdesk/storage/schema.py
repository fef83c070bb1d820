"""The version of the database: what the code expects, what is there, and the way from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, create_engine, inspect, make_url, text

from clinicdesk.errors import CannotStart
from clinicdesk.paths import migrations_dir
from clinicdesk.storage.addresses import APP, BACKUP, OWNER, WORKER, libpq_address

State = Literal["missing", "too_old", "current", "too_new"]

_LOCK = 20261122


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """The revision this code was written for."""
    found = _scripts().get_current_head()
    if found is None:
        raise CannotStart("programs", "This copy of ClinicDesk came without its migrations.", "Install it again.")
    return found


def current(connection: Connection) -> str | None:
    """The revision of this database; None when it holds no clinic yet."""
    if not inspect(connection).has_table("alembic_version", schema="public"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM public.alembic_version")).scalar()
    return found


def state_of(revision: str | None) -> State:
    """How a revision relates to this code: an unknown one was made by a newer ClinicDesk."""
    if revision is None:
        return "missing"
    if revision == head():
        return "current"
    return "too_old" if revision in {script.revision for script in _scripts().walk_revisions()} else "too_new"


def upgrade(owner_url: str, revision: str = "head") -> str:
    """Bring the database to `revision` as its owner, in one transaction; two processes at once wait for each other. The revision reached.

    CannotStart(`schema_too_new`) when a newer ClinicDesk has been here: nothing is changed then.
    """
    engine = create_engine(owner_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            if state_of(current(connection)) == "too_new":
                raise misfit("too_new")
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.execute(text(f"GRANT SELECT ON public.alembic_version TO {APP}, {WORKER}, {BACKUP}"))
            return current(connection) or ""
    finally:
        engine.dispose()


def require_current(url: str) -> None:
    """CannotStart(`schema_missing`, `schema_too_old`, `schema_too_new`) unless the database fits this code. Any role may ask."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            state = state_of(current(connection))
    finally:
        engine.dispose()
    if state != "current":
        raise misfit(state)


def misfit(state: State) -> CannotStart:
    """The refusal of a database that does not fit this program."""
    sentence, advice = {
        "missing": ("The database is empty: it holds no clinic yet.", "Run “clinicdesk migrate” as its owner."),
        "too_old": ("The database was made by an older ClinicDesk.", "Back it up, then run “clinicdesk migrate” as its owner."),
        "too_new": ("The database was made by a newer ClinicDesk.", "Install that version on this computer."),
    }[state]
    return CannotStart(f"schema_{state}", sentence, advice)


@contextmanager
def _administrator(admin_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(libpq_address(admin_url), autocommit=True) as connection:
        yield connection


def create_database(admin_url: str, name: str, template: str | None = None) -> None:
    """A database on our own server, owned by clinicdesk_owner; with `template` a copy of that one (which nobody may be using)."""
    with _administrator(admin_url) as admin:
        how = sql.SQL("TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template)) if template else sql.SQL("")
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} {}").format(sql.Identifier(name), sql.Identifier(OWNER), how))


def drop_database(admin_url: str, name: str) -> None:
    """Remove it, ending whoever is connected; harmless when there is none."""
    with _administrator(admin_url) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def in_database(url: str, name: str) -> str:
    """The same address for another database of the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)
