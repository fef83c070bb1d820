"""What `clinicdesk check` finds out: folder, secrets, servers, versions, sign-ins, schema and what waits to be delivered."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from typing import Literal

import psycopg
from psycopg import sql
from sqlalchemy import create_engine

from clinicdesk import __version__
from clinicdesk.config import Settings
from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart, ClinicError
from clinicdesk.storage import connections, schema
from clinicdesk.storage.addresses import ROLES, Addresses, libpq_address
from clinicdesk.storage.documents import Documents
from clinicdesk.storage.servers import Servers, embedded_servers, shared_database

_LITTLE_SPACE, _NO_SPACE = 2_000_000_000, 100_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. A warning is not a problem: `ok` stays true."""

    name: str
    level: Literal["ok", "warning", "problem"]
    code: str
    sentence: str
    advice: str = ""

    @property
    def ok(self) -> bool:
        return self.level != "problem"


@dataclass(slots=True)
class Report:
    """Everything found, in the order it was looked at; None where it could not be found out."""

    data_dir: str = ""
    database: Literal["embedded", "shared"] = "embedded"
    documents: Literal["embedded", "shared"] = "embedded"
    versions: dict[str, str] = field(default_factory=dict)
    visit_documents: int | None = None
    undelivered_visits: int | None = None
    undelivered_attachments: int | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)

    def good(self, name: str, sentence: str) -> None:
        self.findings.append(Finding(name, "ok", "ok", sentence))

    def warn(self, name: str, code: str, sentence: str, advice: str) -> None:
        self.findings.append(Finding(name, "warning", code, sentence, advice))

    def bad(self, name: str, error: CannotStart | connections.Trouble) -> None:
        self.findings.append(Finding(name, "problem", error.code, error.sentence, error.advice))


def examine(settings: Settings) -> Report:
    """Look at everything; own servers are started for it and let go afterwards. Never raises for what is wrong outside."""
    report = Report(str(settings.data_dir), "shared" if settings.database_url else "embedded",
                    "shared" if settings.mongodb_uri else "embedded")
    report.versions = {"clinicdesk": __version__, "python": sys.version.split()[0]}
    _folder(report, settings)
    servers: Servers | None = None
    try:
        credentials = _secrets(report, settings)
        servers = _own_servers(report, settings, credentials) if credentials else None
        app = servers.addresses if servers else Addresses(app="", documents="")
        if settings.database_url:
            _shared_database(report, settings.database_url.get_secret_value(), require_tls=settings.require_tls)
        elif app.app:
            _database(report, app)
        if settings.mongodb_uri:
            if wrong := connections.documents_trouble(settings):
                report.bad("documents", wrong)
            else:
                _documents(report, settings, settings.mongodb_uri.get_secret_value())
        elif app.documents and not (servers and servers.embedded and servers.embedded.documents_trouble):
            _documents(report, settings, app.documents)
    finally:
        if servers:
            servers.close()
    return report


def _folder(report: Report, settings: Settings) -> None:
    free = shutil.disk_usage(settings.data_dir).free
    space = f"{free / 1e9:.1f} GB free"
    if free < _NO_SPACE:
        report.bad("data_dir", CannotStart("disk_full", f"The disk of {settings.data_dir} is full ({space}).", "Free some space."))
    elif free < _LITTLE_SPACE:
        report.warn("data_dir", "disk_nearly_full", f"The disk of {settings.data_dir} is nearly full ({space}).", "Free some space soon.")
    else:
        report.good("data_dir", f"{settings.data_dir} can be written ({space}).")


def _secrets(report: Report, settings: Settings) -> Credentials | None:
    try:
        credentials = Credentials(settings.data_dir)
        credentials.get("none")
    except CannotStart as error:
        report.bad("secrets", error)
        return None
    if credentials.standing_warning:
        report.warn("secrets", "secrets_in_file", credentials.standing_warning, "Keep the folder's backups where only you can read them.")
    else:
        report.good("secrets", "Passwords and keys are in the system's keyring.")
    return credentials


def _own_servers(report: Report, settings: Settings, credentials: Credentials) -> Servers | None:
    if settings.database_url and settings.mongodb_uri:
        return None
    try:
        embedded = embedded_servers(settings, credentials)
        servers = Servers(embedded.start(), embedded)
    except CannotStart as error:
        report.bad("database", error)
        return None
    if embedded.documents_trouble:
        report.bad("documents", embedded.documents_trouble)
    return servers


def _shared_database(report: Report, url: str, *, require_tls: bool) -> None:
    try:
        addresses = shared_database(url, require_tls=require_tls)
    except CannotStart as error:
        report.bad("database", error)
        return
    _database(report, addresses)
    with psycopg.connect(libpq_address(addresses.app)) as connection:
        encrypted = connection.pgconn.ssl_in_use
        signed_in = str((connection.execute("SELECT session_user").fetchone() or [""])[0])
    if not encrypted and not all(connections.is_local(host) for host in connections.database_hosts(url)):
        report.warn("tls", "tls_not_used", "The connection to the database server is not encrypted.",
                    "Turn on TLS at the server and set CLINICDESK_REQUIRE_TLS=yes.")
    if signed_in not in ROLES:
        report.warn("role", "role_too_mighty", f"This computer signs in as “{signed_in}”, which may act as the owner of all tables.",
                    "On workstations use DATABASE_URL with the role clinicdesk_app; give it a password first.")
    else:
        report.good("role", f"This computer signs in as {signed_in}.")


def _database(report: Report, addresses: Addresses) -> None:
    engine = create_engine(addresses.app)
    try:
        with engine.connect() as connection:
            version = connection.dialect.server_version_info or ()
            report.versions["postgresql"] = ".".join(str(part) for part in version)
            report.good("database", f"PostgreSQL {report.versions['postgresql']} answers ({report.database}).")
            revision = schema.current(connection)
    finally:
        engine.dispose()
    state = schema.state_of(revision)
    if version < (15,):
        report.bad("database_version", CannotStart("database_too_old", "PostgreSQL is older than version 15.", "Update the server."))
    if state == "current":
        report.good("schema", f"The tables are at version {revision}, as this program needs them.")
        report.undelivered_visits = _undelivered(addresses, "visit_outbox")
        report.undelivered_attachments = _undelivered(addresses, "attachments")
    elif addresses.embedded_database and state != "too_new":
        report.good("schema", "The tables will be brought up to date at the next start.")
    else:
        report.bad("schema", schema.misfit(state))
    if report.undelivered_visits:
        report.warn("delivery", "undelivered", f"{report.undelivered_visits} visits wait to be delivered to the document server.",
                    "They are safe in the database and are delivered by themselves when it answers.")
    if report.undelivered_attachments:
        report.warn("attachments", "undelivered_attachments",
                    f"{report.undelivered_attachments} attachments wait to be delivered to the document server.",
                    "They are safe in the database and open from there; they are delivered by themselves when it answers.")


def _undelivered(addresses: Addresses, table: Literal["visit_outbox", "attachments"]) -> int | None:
    """Known to the worker's role only; None for everybody else."""
    if addresses.worker is None:
        return None
    try:
        with psycopg.connect(libpq_address(addresses.worker)) as connection:
            found = connection.execute(sql.SQL("SELECT count(*) FROM clinic.{} WHERE delivered_at IS NULL").format(
                sql.Identifier(table))).fetchone()
    except psycopg.Error:
        return None
    return int(found[0]) if found else None


def _documents(report: Report, settings: Settings, uri: str) -> None:
    documents = Documents(uri, settings.mongodb_db_name, settings.mongodb_collection_name)
    try:
        report.versions["documents"] = documents.ping()
        report.visit_documents = documents.count()
    except ClinicError as error:
        report.bad("documents", CannotStart("documents_refused", error.sentence, error.advice))
        return
    finally:
        documents.close()
    report.good("documents", f"The document server answers ({report.documents}); {report.visit_documents} visit documents"
                             f" in {settings.mongodb_db_name}.{settings.mongodb_collection_name}.")

