"""What is wrong with a connection, and what to do about it: found out by trying, one step after the other.

libpq reports a refused sign-in as text in the server's language and without an SQLSTATE. So each cause is told apart by what
can be observed (does the name resolve, does the port answer, is TLS offered, was a password asked for, does another database
let us in), and the text is only quoted.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import make_conninfo

from clinicdesk.config import Settings
from clinicdesk.storage import documents
from clinicdesk.storage.addresses import libpq_parameters

_SECONDS = 3.0
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_ENCODE = "In the password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F and % as %25."

Kind = Literal["database", "documents"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a server cannot be used: a stable word for programs, a sentence and an advice for people."""

    code: str
    sentence: str
    advice: str


def unencoded_password(url: str) -> bool:
    """Whether the password in an address contains a character that must be percent-encoded there."""
    rest = url.partition("://")[2]
    user, colon, password = rest.rpartition("@")[0].partition(":")
    if not colon or re.match(r"\d+(,[^:/?]*:\d+)*(/[^?]*)?\?", password):  # host:port/database?user=a@b
        return False
    return bool(re.search(r"[@/?#\[\]:\s]|%(?![0-9A-Fa-f]{2})", password) or re.search(r"[/?#]", user))


def explain_database(url: str, error: psycopg.Error, *, require_tls: bool = False) -> Trouble:
    """The reason why connecting to `url` ended in `error`. Tries again step by step; takes up to some seconds."""
    try:
        parameters = libpq_parameters(url)
    except psycopg.ProgrammingError:
        parameters = {}
    reached: tuple[str, int] | None = None
    trouble = Trouble("database_url", "DATABASE_URL is not a PostgreSQL address.", "Write postgresql://user:password@host:5432/database.")
    for host, port in _hosts(parameters):
        trouble_here = _reach("database", host, port)
        if trouble_here is None:
            reached = (host, port)
            break
        trouble = trouble_here
    if reached is None:
        return Trouble("not_url_encoded", "The password in DATABASE_URL is not percent-encoded, so its address cannot be read.",
                       _ENCODE) if unencoded_password(url) else trouble
    strict = require_tls or parameters.get("sslmode") in {"require", "verify-ca", "verify-full"}
    if strict and not reached[0].startswith("/") and not _offers_tls(*reached):
        return Trouble("tls_not_offered", f"TLS is required, but the database server on {_place(*reached)} does not offer it.",
                       "Turn on ssl in its postgresql.conf, or set CLINICDESK_REQUIRE_TLS=no on a network you trust.")
    return _explain_sign_in(url, parameters, error)


def _explain_sign_in(url: str, parameters: Mapping[str, str], error: psycopg.Error) -> Trouble:
    said = str(error).strip().rpartition("FATAL:")[2].strip().splitlines()[0] if str(error).strip() else type(error).__name__
    user, database = parameters.get("user", ""), parameters.get("dbname", parameters.get("user", ""))
    if any(word in said for word in ("certificate", "SSL error", "SSL SYSCALL")):
        return Trouble("tls_not_trusted", f"The database server's TLS certificate is not accepted ({said}).",
                       "Put the certificate authority in sslrootcert, and use the host name the certificate is made for.")
    for elsewhere in ("postgres", "template1"):
        if elsewhere == database:
            continue
        try:
            with psycopg.connect(make_conninfo("", **{"connect_timeout": "3", **parameters, "dbname": elsewhere})) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        except psycopg.OperationalError:
            continue
        if not found:
            return Trouble("database_missing", f"There is no database named “{database}” on the server.",
                           f'Create it (createdb "{database}"), or correct the name in DATABASE_URL.')
        return Trouble("role_not_allowed", f"The database role “{user}” may not use the database “{database}” ({said}).",
                       f'Have the server\'s administrator run: GRANT CONNECT ON DATABASE "{database}" TO "{user}";')
    if "password" in parameters and unencoded_password(url):
        return Trouble("not_url_encoded", "The password in DATABASE_URL is not percent-encoded, so another one is sent.", _ENCODE)
    pgconn = error.pgconn if isinstance(error, psycopg.OperationalError) else None
    if pgconn is not None and pgconn.needs_password:
        return Trouble("wrong_password", f"The database server wants a password for “{user}”, and DATABASE_URL has none.",
                       "Write it as postgresql://user:password@host/database.")
    if pgconn is not None and pgconn.used_password and database not in said.replace(user, ""):
        return Trouble("wrong_password", f"The database server does not accept this name and password (“{user}”).",
                       f"Correct the user name or the password in DATABASE_URL. {_ENCODE}")
    if f'"{database}"' in said and "pg_hba" not in said:
        return Trouble("database_missing", f"There is no database named “{database}” on the server.",
                       f'Create it (createdb "{database}"), or correct the name in DATABASE_URL.')
    return Trouble("refused", f"The database server refuses the connection: {said.rstrip('.')}.",
                   "Ask the server's administrator to let this computer and this role in (pg_hba.conf, connection limits).")


def documents_trouble(settings: Settings) -> Trouble | None:
    """Why the shared document server of these settings cannot be used; None when it can."""
    uri = settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else ""
    address = documents.parse_address(uri)
    reasons = [_reach("documents", host, port) for host, port in address.hosts]
    if all(reasons):
        if unencoded_password(uri):
            return Trouble("not_url_encoded", "The password in MONGODB_URI is not percent-encoded, so its address cannot be read.", _ENCODE)
        return reasons[0] if reasons else Trouble("mongodb_uri", "MONGODB_URI is not a MongoDB address.",
                                                  "Write mongodb://user:password@host:27017/?authSource=admin.")
    if settings.require_tls and not address.uses_tls:
        return Trouble("tls_not_asked", "TLS is required, but MONGODB_URI does not ask for it.", "Add tls=true to MONGODB_URI.")
    outcome = documents.try_out(uri, settings.mongodb_db_name, settings.mongodb_collection_name, timeout=_SECONDS)
    if outcome == "in":
        return None
    if outcome == "refused":
        if unencoded_password(uri):
            return Trouble("not_url_encoded", "The password in MONGODB_URI is not percent-encoded, so another one is sent.", _ENCODE)
        return Trouble("wrong_password", "The document server does not accept the name and password in MONGODB_URI.",
                       "Correct them, or add authSource=NAME of the database that knows this user.")
    if outcome == "not_allowed":
        return Trouble("role_not_allowed", f"The document server's user may not use the database “{settings.mongodb_db_name}”.",
                       f"Give her the role readWrite on {settings.mongodb_db_name}, or sign in with a name and password in MONGODB_URI.")
    where = _place(*address.hosts[reasons.index(None)])
    if address.uses_tls:
        return Trouble("tls_not_offered", f"TLS is required, but no trusted TLS connection to the document server on {where} came about.",
                       "Turn on TLS there, add tlsCAFile=FILE to MONGODB_URI, or remove tls=true on a network you trust.")
    return Trouble("no_answer", f"Something listens on {where}, but it does not speak as a document server.",
                   "If the server requires TLS, add tls=true to MONGODB_URI; else correct host and port.")


def is_local(host: str) -> bool:
    """Whether a host name means this computer."""
    return host in {"", "localhost", "127.0.0.1", "::1"} or host.startswith("/")


def database_hosts(url: str) -> list[str]:
    """The host names in a PostgreSQL address."""
    return [host for host, _ in _hosts(libpq_parameters(url))]


def _hosts(parameters: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    hosts = (parameters.get("hostaddr") or parameters.get("host") or "localhost").split(",")
    ports = parameters.get("port", "5432").split(",") if parameters else []
    for place, host in enumerate(hosts if parameters else ()):
        port = (ports[place] if place < len(ports) else ports[0]) or "5432"
        if port.isdigit() and int(port) < 65536:
            yield unquote(host), int(port)


def _reach(kind: Kind, host: str, port: int) -> Trouble | None:
    what = "database" if kind == "database" else "document"
    variable = "DATABASE_URL" if kind == "database" else "MONGODB_URI"
    if host.startswith("/"):
        return None
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return Trouble("host_unknown", f"No computer named “{host}” is known here.",
                       f"Correct the host in {variable}, or check the network.")
    try:
        socket.create_connection((host, port), _SECONDS).close()
    except TimeoutError:
        return Trouble("no_answer", f"The {what} server on {_place(host, port)} does not answer.",
                       "Check the network, the VPN and the firewall.")
    except OSError:
        return Trouble("nothing_listening", f"Nothing is listening on {_place(host, port)}.",
                       f"Start the {what} server, or correct host and port in {variable}.")
    return None


def _offers_tls(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), _SECONDS) as plain:
            plain.sendall(_SSL_REQUEST)
            return plain.recv(1) == b"S"
    except OSError:
        return False


def _place(host: str, port: int) -> str:
    return f"{host}, port {port}"
