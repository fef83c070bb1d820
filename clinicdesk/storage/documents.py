"""The document server: the only user of pymongo.

Visit documents carry sealed text only; PostgreSQL knows which visits exist and in what order, so documents are read by `_id`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from bson import Binary, CodecOptions
from bson.errors import BSONError
from gridfs import GridFSBucket
from gridfs.errors import CorruptGridFile, FileExists, NoFile
from pymongo import ASCENDING, DESCENDING, MongoClient
from pymongo.errors import (
    CollectionInvalid,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteError,
)
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from pymongo.uri_parser import parse_uri

from clinicdesk.errors import CannotStart, ClinicError, Unavailable
from clinicdesk.storage.visit_documents import VALIDATOR, VisitDocument

APP, ADMIN = "clinicdesk_app", "clinicdesk_admin"
_INTERNAL_ERROR, _UNAUTHORIZED, _AUTHENTICATION_FAILED, _NAMESPACE_EXISTS = 1, 13, 18, 48


class Documents:
    """The visit history collection. Thread-safe; connects at the first use, so building one never waits.

    Every method blocks for at most about `timeout` seconds when the server is away (never call it on the GUI thread) and raises
    Unavailable("documents"), or ClinicError when the server refuses what was sent.
    """

    def __init__(self, uri: str, db_name: str, collection_name: str, *, timeout: float = 2.0) -> None:
        self._names, self._timeout = (db_name, collection_name), timeout
        self._connect(uri)

    def _connect(self, uri: str) -> None:
        self._illness = _Illness()
        with _translated():
            self._client = _client(uri, self._timeout, self._illness)
        self._uri, self._guarded = uri, False
        self._database = self._client[self._names[0]]
        options: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._visits = self._database.get_collection(self._names[1], codec_options=options)
        name = self._names[1]  # clinics that share a database differ in this one, so nothing of theirs may meet
        self._files = GridFSBucket(self._database, bucket_name=f"{name}_attachments")
        self._anchors = self._database[f"{name}_anchors"]
        self._erasures = self._database[f"{name}_erasures"]

    def is_broken(self) -> bool:
        """Whether the server said that it failed inside, and still does not work: after a full disk ours lives on and can do nothing until
        it is started anew. Asks only when it said so."""
        if self._illness.seen:
            with suppress(ClinicError):
                self.ping()
                self._illness.seen = False
        return self._illness.seen

    def move_to(self, uri: str) -> None:
        """Use the server at another address from now on; when it is the same, it is only believed to be well again."""
        self._illness.seen = False
        if uri != self._uri:
            before = self._client
            self._connect(uri)
            before.close()

    def keep_anchor(self, line: dict[str, Any]) -> None:
        """Keep an anchor of the audit log; one that is there stays as it is."""
        name = f"{line['seq']}:{line['hash']}"
        with _translated():
            self._anchors.update_one({"_id": name}, {"$setOnInsert": {**line, "_id": name}}, upsert=True)

    def anchors(self) -> list[dict[str, Any]]:
        """Every anchor that was kept here."""
        with _translated():
            return list(self._anchors.find({}))

    def ensure(self) -> None:
        """Create the collection with its validator and indexes, or bring an older one up to date. Idempotent, safe from two desks."""
        with _translated():
            found = next(iter(self._database.list_collections(filter={"name": self._visits.name})), None)
            if found is None:
                try:
                    self._database.create_collection(self._visits.name, validator=VALIDATOR, validationLevel="strict",
                                                     validationAction="error")
                except (CollectionInvalid, OperationFailure) as error:
                    if isinstance(error, OperationFailure) and error.code != _NAMESPACE_EXISTS:
                        raise
            elif not _is_guarded(found.get("options", {})):
                self._database.command("collMod", self._visits.name, validator=VALIDATOR, validationLevel="strict",
                                       validationAction="error")
            self._visits.create_index([("visit_id", ASCENDING), ("revision", ASCENDING)], unique=True, name="visit_revision")
            self._visits.create_index([("patient_id", ASCENDING), ("visit_date", DESCENDING)], name="patient_visit_date")
            self._visits.create_index([("person_id", ASCENDING), ("visit_date", DESCENDING)], name="person_visit_date", sparse=True)
        self._guarded = True

    def put_visit(self, document: VisitDocument) -> None:
        """Store the document under its own id; on return it is on disk. The same document again changes nothing."""
        if not self._guarded:  # the server was away when the clinic opened: no document may come before the validator
            with suppress(ClinicError):
                self.ensure()
        with _translated():
            self._visits.replace_one({"_id": document.id}, _fields(document), upsert=True)
        self._guarded = True

    def add_visits(self, visits: Sequence[VisitDocument]) -> None:
        """Store documents that are not there yet, in one round trip: for a store being filled from a backup."""
        with _translated():
            self._visits.insert_many([_fields(one) for one in visits])

    def set_person(self, patient_ids: Iterable[str], person_id: str) -> int:
        """Put every visit document of these records under one person; on return it is on disk. How many changed; again changes none.

        The person's own record needs no `person_id`: its documents are as they were.
        """
        with _translated():
            others = {"patient_id": {"$in": [i for i in patient_ids if i != person_id]}, "person_id": {"$ne": person_id}}
            changed = self._visits.update_many(others, {"$set": {"person_id": person_id}}).modified_count
            own = {"patient_id": person_id, "person_id": {"$exists": True}}
            return int(changed + self._visits.update_many(own, {"$unset": {"person_id": ""}}).modified_count)

    def drop_visits(self, patient_ids: Iterable[str]) -> int:
        """Take away every visit document of these records; how many there were."""
        with _translated():
            return int(self._visits.delete_many({"patient_id": {"$in": list(patient_ids)}}).deleted_count)

    def keep_erasures(self, lines: Iterable[dict[str, Any]]) -> None:
        """Keep lines of the erasure ledger (`number` is the key of each); one that is there already stays as it is."""
        with _translated("erasure ledger"):
            for line in lines:
                self._erasures.update_one({"_id": line["number"]}, {"$setOnInsert": line}, upsert=True)

    def erasures(self) -> list[dict[str, Any]]:
        """The lines of the erasure ledger that this server keeps, in order."""
        with _translated("erasure ledger"):
            return list(self._erasures.find({}, {"_id": 0}).sort("number", ASCENDING))

    def count_of(self, patient_ids: Iterable[str]) -> int:
        """How many visit documents there are of these records."""
        with _translated():
            return int(self._visits.count_documents({"patient_id": {"$in": list(patient_ids)}}))

    def get_visits(self, ids: Iterable[str]) -> dict[str, VisitDocument]:
        """The documents of these ids (see `document_id`) that exist, in one round trip."""
        wanted = list(ids)
        if not wanted:
            return {}
        with _translated():
            found = list(self._visits.find({"_id": {"$in": wanted}}, batch_size=len(wanted) + 1))
        return {str(one["_id"]): _read(one) for one in found}

    def put_file(self, name: str, parts: Iterable[bytes]) -> None:
        """Store sealed bytes as the file of this name; whatever an interrupted attempt left of it goes first. No other name is kept."""
        with _translated("attachment"):
            with suppress(NoFile):
                self._files.delete(name)
            with self._files.open_upload_stream_with_id(name, "") as stream:
                for part in parts:
                    stream.write(part)

    def get_file(self, name: str, length: int) -> Iterator[bytes]:
        """The file of this name in parts of `length` bytes (the last may be shorter); nothing when there is none."""
        with _translated("attachment"):
            try:
                with self._files.open_download_stream(name) as stream:
                    while part := stream.read(length):
                        yield part
            except (NoFile, CorruptGridFile):
                return

    def file_sha256(self, name: str) -> bytes | None:
        """The checksum of the bytes the server gives back for this name, every one of them read; None when it has no whole file."""
        digest, some = hashlib.sha256(), False
        for part in self.get_file(name, 1 << 20):
            digest.update(part)
            some = True
        return digest.digest() if some else None

    def drop_file(self, name: str) -> None:
        """Take away what is stored under this name, if anything."""
        with _translated("attachment"), suppress(NoFile):
            self._files.delete(name)

    def count_files(self) -> int:
        """How many files there are."""
        with _translated("attachment"):
            return int(self._database[f"{self._names[1]}_attachments.files"].estimated_document_count())

    def count(self) -> int:
        """How many documents there are, from the collection's own books (not a scan)."""
        with _translated():
            return int(self._visits.estimated_document_count())

    def ping(self) -> str:
        """Prove that the server is there and lets us in; its version."""
        with _translated():
            self._database.command("ping")
            self._visits.find_one({"_id": ""})
            return str(self._client.server_info()["version"])

    def close(self) -> None:
        """End the connections; the object cannot be used afterwards."""
        self._client.close()


def users_uri(port: int, user: str, password: str, db_name: str = "") -> str:
    """The address of our own document server for one of its users."""
    return f"mongodb://{quote(user, safe='')}:{quote(password, safe='')}@127.0.0.1:{port}/{db_name}?authSource=admin&directConnection=true"


def create_users(port: int, db_name: str, admin_password: str, app_password: str) -> None:
    """Make the two users of our own server while it still runs without authentication. Idempotent."""
    with _translated(), _client(f"mongodb://127.0.0.1:{port}/?directConnection=true", 5.0) as client:
        for name, password, roles in ((ADMIN, admin_password, [{"role": "root", "db": "admin"}]),
                                      (APP, app_password, [{"role": "readWrite", "db": db_name}])):
            if client.admin.command("usersInfo", name)["users"]:
                client.admin.command("updateUser", name, pwd=password, roles=roles)
            else:
                client.admin.command("createUser", name, pwd=password, roles=roles)


def grant_database(admin_uri: str, db_name: str) -> None:
    """Let the application's user of our own server work in `db_name` too (the configured name may change). Idempotent."""
    with _translated(), _client(admin_uri, 5.0) as client:
        roles = client.admin.command("usersInfo", APP)["users"][0].get("roles", [])
        if {"role": "readWrite", "db": db_name} not in [{"role": r["role"], "db": r["db"]} for r in roles]:
            client.admin.command("grantRolesToUser", APP, roles=[{"role": "readWrite", "db": db_name}])


def answers_as(uri: str, timeout: float = 1.0) -> bool:
    """Whether a server is there that lets this user in. CannotStart(`password_lost`) when it is there and refuses her."""
    try:
        with _client(uri, timeout) as client:
            client.admin.command("ping")
            client.server_info()
            client.admin.command("connectionStatus")
    except OperationFailure as error:
        if error.code == _AUTHENTICATION_FAILED:
            raise CannotStart("password_lost", "The passwords kept for this folder do not open its document server.",
                              "Run “clinicdesk recover” with the recovery kit, or restore this folder's secrets.json.") from None
        return False
    except PyMongoError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """What an address says. `hosts` is empty when it could not be read at all."""

    hosts: list[tuple[str, int]]
    uses_tls: bool


def parse_address(uri: str) -> ParsedAddress:
    """Read an address without connecting (mongodb+srv asks the name server). Raises nothing."""
    try:
        parsed = parse_uri(uri)
    except (PyMongoError, ValueError):
        return ParsedAddress([], uses_tls=False)
    return ParsedAddress([(str(host), int(port or 27017)) for host, port in parsed["nodelist"]],
                         bool(parsed["options"].get("tls", uri.startswith("mongodb+srv://"))))


def try_out(uri: str, db_name: str, collection_name: str, *, timeout: float) -> Literal["in", "refused", "not_allowed", "away"]:
    """Sign in and read one document. Raises nothing; `connections.documents_trouble` makes sentences of it."""
    try:
        with _client(uri, timeout) as client:
            client[db_name][collection_name].find_one({"_id": ""})
    except OperationFailure as error:
        return "refused" if error.code == _AUTHENTICATION_FAILED else "not_allowed"
    except PyMongoError:
        return "away"
    return "in"


class _Illness(CommandListener):
    """Whether a server answered that something broke inside it. Told by the driver, on whatever thread asked."""

    def __init__(self) -> None:
        self.seen = False

    def started(self, _event: CommandStartedEvent) -> None:
        """Nothing to note."""

    def succeeded(self, _event: CommandSucceededEvent) -> None:
        """Nothing to note."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Other failures are about what was asked, or about the way to the server."""
        self.seen = self.seen or event.failure.get("code") == _INTERNAL_ERROR


def _client(uri: str, timeout: float, *listeners: CommandListener) -> MongoClient[dict[str, Any]]:
    wait = int(timeout * 1000)
    return MongoClient(uri, serverSelectionTimeoutMS=wait, connectTimeoutMS=wait, socketTimeoutMS=max(wait * 5, 10_000),
                       tz_aware=True, tzinfo=UTC, appname="ClinicDesk", maxPoolSize=8, w="majority", journal=True, connect=False,
                       event_listeners=listeners)


def _is_guarded(options: dict[str, Any]) -> bool:
    return (options.get("validator") == VALIDATOR and options.get("validationLevel", "strict") == "strict"
            and options.get("validationAction", "error") == "error")


def _fields(document: VisitDocument) -> dict[str, Any]:
    fields = {
        "_id": document.id, "visit_id": str(document.visit_id), "revision": document.revision,
        "appointment_id": document.appointment_id, "patient_id": document.patient_id, "doctor_id": document.doctor_id,
        "visit_date": document.visit_date, "notes": Binary(document.notes), "prescription": Binary(document.prescription),
        "visit": Binary(document.visit), "created_at": document.created_at,
    }
    if document.person_id not in {"", document.patient_id}:
        fields["person_id"] = document.person_id
    return fields


def _read(found: dict[str, Any]) -> VisitDocument:
    return VisitDocument(UUID(found["visit_id"]), int(found["revision"]), int(found["appointment_id"]), str(found["patient_id"]),
                         int(found["doctor_id"]), found["visit_date"], bytes(found["notes"]), bytes(found["prescription"]),
                         bytes(found["visit"]), found["created_at"], str(found.get("person_id", "")))


@contextmanager
def _translated(what: str = "visit document") -> Iterator[None]:
    """pymongo's errors as ours: away, refused at the door, or refused what was sent."""
    try:
        yield
    except (WriteError, DocumentTooLarge, BSONError, FileExists) as error:
        raise ClinicError(f"The document server refused the {what} ({_code(error)}).",
                          "Nothing was lost: it is kept in the database. Tell your administrator.") from error
    except OperationFailure as error:
        if isinstance(error, ExecutionTimeout):
            raise Unavailable("documents", "The document server does not answer in time.") from error
        if error.code in {_UNAUTHORIZED, _AUTHENTICATION_FAILED}:
            raise Unavailable("documents", "The document server does not let ClinicDesk in.",
                              "Ask an administrator to run “clinicdesk check”. Your work is kept.") from error
        raise Unavailable("documents", f"The document server cannot do its work ({_code(error)}).") from error
    except ConfigurationError as error:
        raise CannotStart("documents_uri", "MONGODB_URI is not a MongoDB address.",
                          "Percent-encode the characters @ : / # % in its user name and password.") from error
    except ConnectionFailure as error:
        raise Unavailable("documents", "The document server cannot be reached.") from error
    except PyMongoError as error:
        raise Unavailable("documents", f"The document server cannot do its work ({type(error).__name__}).") from error


def _code(error: Exception) -> str:
    code: int | None = getattr(error, "code", None)
    return f"code {code}" if code else type(error).__name__
