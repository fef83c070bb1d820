"""The composition root: settings → servers → storage → `Clinic`. Windows, worker, commands and tests all start here."""

from __future__ import annotations

import base64
import logging
import platform
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from clinicdesk.config import Settings, prepare_data_dir
from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart, SecondFactorNeeded, SignedOut, SignInRefused, Unavailable
from clinicdesk.former_keys import keep_former
from clinicdesk.jobs.worker import Worker
from clinicdesk.rules.one_time_codes import plain_code
from clinicdesk.rules.passwords import check_password
from clinicdesk.services import accounts, proofs, second_factor
from clinicdesk.services.clinic_keys import vault_of
from clinicdesk.services.people import Me
from clinicdesk.services.second_factor import Enrolment
from clinicdesk.services.settings import stored_setting
from clinicdesk.storage import schema
from clinicdesk.storage.addresses import Addresses
from clinicdesk.storage.database import ClinicSession, Database
from clinicdesk.storage.documents import Documents
from clinicdesk.storage.notices import NoticeListener
from clinicdesk.storage.reviving import Reviver
from clinicdesk.storage.servers import Servers, open_servers
from clinicdesk.storage.vault import Vault, new_key

log = logging.getLogger(__name__)

CLINIC_KEY = "clinic-key"
Progress = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session token and whose it is."""

    token: str
    me: Me


@dataclass(frozen=True, slots=True)
class HalfSignedIn:
    """The password was right, the second factor is missing. `password` only while a stronger proof of it is to be stored."""

    token: str = field(repr=False)
    try_id: UUID
    username: str
    workstation: str
    password: str = field(default="", repr=False)


class Clinic:
    """An open clinic. Threads may share it; close it once, last of all."""

    def __init__(self, settings: Settings, addresses: Addresses, *, vault: Vault, zone: str, servers: Servers | None = None) -> None:
        self.settings, self.addresses, self.servers = settings, addresses, servers
        self.documents = Documents(addresses.documents, settings.mongodb_db_name, settings.mongodb_collection_name)
        self.vault = vault
        self.database = self._open(addresses.app, zone)
        self._owner = self._open(addresses.owner, zone, pool_size=2) if addresses.owner else None
        self._worker: Worker | None = None
        self._reviver: Reviver | None = None
        self._worker_database: Database | None = None
        self._people: dict[str, Me] = {}
        self.zone = self.database.zone
        self.workstation = platform.node() or "workstation"

    def _open(self, url: str, zone: str, pool_size: int = 6) -> Database:
        database = Database(url, zone=zone, pool_size=pool_size)
        database.vault, database.documents = self.vault, self.documents
        database.folder = self.settings.data_dir
        return database

    def read(self, token: str | None) -> AbstractContextManager[ClinicSession]:
        """A read-only transaction as whoever holds the token; SignedOut when it is over."""
        return self.database.read(token, self._people.get(token or ""))

    def write(self, token: str | None) -> AbstractContextManager[ClinicSession]:
        """A transaction as whoever holds the token, committed at the end."""
        return self.database.write(token, self._people.get(token or ""))

    def perform(self, token: str | None, work: Callable[[ClinicSession], T]) -> T:
        """`work` in such a transaction; run again once when it collided with another desk's."""
        return self.database.perform(token, self._people.get(token or ""), work)

    @contextmanager
    def as_owner(self, me: Me | None = None) -> Iterator[ClinicSession]:
        """A transaction as the owner of the tables: for this computer's own tools (import, demo) where it holds that sign-in.

        Raises CannotStart("owner") on a workstation of a shared server.
        """
        if self._owner is None:
            raise CannotStart("owner", "This computer may not do that on the shared database.", "Run it where the database is kept.")
        with self._owner.write(None, me) as session:
            yield session

    @property
    def may_own(self) -> bool:
        """Whether this computer holds the owner's sign-in."""
        return self._owner is not None

    def sign_in(self, username: str, password: str, workstation: str = "", *, again: str | None = None) -> SignedIn:
        """Prove who one is; takes some tens of milliseconds. SignInRefused else, SecondFactorNeeded when a code is still missing.

        `again` is the token of the same person's living session (unlocking): the new one takes its place and asks for no code.
        """
        with self.database.read() as session:
            how = proofs.challenge(session, username)
        workstation = workstation or self.workstation
        try_id = self._try(username, proofs.derive(password, how), workstation)
        half = HalfSignedIn("", try_id, username, workstation, password if how.weak else "")
        return self._enter(half, again)

    def sign_in_with_code(self, username: str, code: str) -> SignedIn:
        """A patient's way into the kiosk: the number of her record and the code reception gave her."""
        wrong = "Number or code is wrong, or the code was used or is too old."
        try_id = self._try(username, plain_code(code).encode(), self.workstation, wrong)
        return self._enter(HalfSignedIn("", try_id, username, self.workstation), wrong=wrong)

    def give_code(self, half: HalfSignedIn, code: str) -> SignedIn:
        """The second factor, or a recovery code; SignInRefused when it does not fit, SignedOut after five minutes."""
        wrong = "This code is wrong, or was used already."
        try_id = self._try(half.username, plain_code(code).encode(), half.workstation, wrong)
        with self.database.write() as session:
            accounts.present(session, half.token)
            wait = proofs.give_code(session, try_id)
        if wait is not None:
            raise proofs.refused(wait, wrong)
        return self._entered(half)

    def enrol(self, half: HalfSignedIn) -> Enrolment:
        """A second factor for somebody who needs one before she can work."""
        with self.database.write() as session:
            accounts.present(session, half.token)
            return second_factor.begin(session, half.username)

    def confirm(self, half: HalfSignedIn, code: str) -> tuple[SignedIn, tuple[str, ...]]:
        """Confirm it: signed in, and the recovery codes. Invalid for a wrong code."""
        with self.database.write() as session:
            accounts.present(session, half.token)
            codes = second_factor.confirm(session, plain_code(code))
        return self._entered(half), codes

    def reset_password(self, username: str, code: str, new: str) -> None:
        """Set a new password by the code an administrator gave; every session of the person ends. SignInRefused, or Invalid for `new`."""
        check_password(new, username, field="new_password")
        wrong = "Name or code is wrong, or the code was used or is too old."
        try_id = self._try(username, plain_code(code).encode(), self.workstation, wrong)
        proof = proofs.proof_of(new)
        with self.database.write() as session:
            wait = proofs.reset_password(session, try_id, proof)
        if wait is not None:
            raise proofs.refused(wait, wrong)

    def _try(self, username: str, secret: bytes, workstation: str, wrong: str = proofs.WRONG) -> UUID:
        """Written down, counted and committed before anything is compared."""
        try:
            with self.database.write() as session:
                return proofs.try_secret(session, username, secret, workstation)
        except SignInRefused as refused:
            raise proofs.refused(refused.wait, wrong) from None

    def _enter(self, half: HalfSignedIn, again: str | None = None, wrong: str = proofs.WRONG) -> SignedIn:
        with self.database.write() as session:
            if again:
                accounts.present(session, again)
            answer = proofs.sign_in(session, half.try_id)
        if answer.token is None:
            raise proofs.refused(answer.wait, wrong)
        half = replace(half, token=answer.token)
        if answer.needs:
            raise SecondFactorNeeded(half, answer.needs)
        if again:
            self._people.pop(again, None)
        return self._entered(half)

    def _entered(self, half: HalfSignedIn) -> SignedIn:
        with self.database.write(half.token) as session:
            me = accounts.who(session)
            if half.password:
                proofs.strengthen(session, half.try_id, half.password)
        self._people[half.token] = me
        return SignedIn(half.token, me)

    def _person(self, token: str) -> Me:
        if (me := self._people.get(token)) is None:
            raise SignedOut
        return me

    def sign_out(self, token: str) -> None:
        """End the session; harmless when it is over already."""
        self._people.pop(token, None)
        with suppress(Exception), self.database.write() as session:
            accounts.present(session, token)
            accounts.sign_out(session)

    def renew(self, token: str) -> bool:
        """Keep a session alive because somebody used the window; False when it is over."""
        with self.database.write() as session:
            return accounts.renew_token(session, token)

    def note_lock(self, token: str) -> None:
        """Tell the audit log that the window was locked; nothing when the session is over."""
        with self.database.write() as session:
            accounts.present(session, token)
            accounts.note_lock(session)

    def change_password(self, token: str, old: str, new: str) -> None:
        """Change one's own password; SignInRefused when the old one is wrong (and that is counted)."""
        me = self._person(token)
        check_password(new, me.username, field="new_password")
        with self.database.read(token, me) as session:
            how = proofs.challenge(session, me.username)
        wrong = "The old password is wrong."
        try_id = self._try(me.username, proofs.derive(old, how), self.workstation, wrong)
        proof = proofs.proof_of(new)
        with self.database.write(token, me) as session:
            changed = proofs.change_password(session, try_id, proof)
        if not changed:
            raise SignInRefused(wrong)

    def leave_second_factor(self, token: str, code: str) -> None:
        """Switch one's own second factor off by one of its codes; SignInRefused when it does not fit."""
        wrong = "This code is wrong, or was used already."
        try_id = self._try(self._person(token).username, plain_code(code).encode(), self.workstation, wrong)
        with self.write(token) as session:
            left = second_factor.leave(session, try_id)
        if not left:
            raise SignInRefused(wrong)

    def listen(self, on_notice: Callable[[str], None], on_state: Callable[[bool], None]) -> NoticeListener:
        """Start telling what other desks change; stop the listener when done. It also notices a server that does not answer any more, and
        what waits for that server is ended then."""
        listener = NoticeListener(self.addresses.app, on_notice=on_notice, on_state=on_state, on_refusal=self.database.hang_up)
        listener.start()
        return listener

    def start_worker(self) -> bool:
        """Run the background jobs in a thread of this process where it holds the worker's sign-in."""
        if self.addresses.worker is None or self._worker is not None:
            return False
        from clinicdesk.backups import nightly_of  # it opens clinics itself

        self._worker = Worker(self.addresses.worker, self.worker_database, nightly_of(self) if self.servers is not None else None)
        self._worker.start()
        return True

    def keep_servers_alive(self) -> None:
        """From now on an own server that dies is started again within seconds, in a thread of this process."""
        if self.servers is not None and self.servers.embedded is not None and self._reviver is None:
            self._reviver = Reviver(self.servers, self._revived, broken=self.documents.is_broken)
            self._reviver.start()

    def renew_documents(self) -> Path | None:
        """Put the own document store aside, start an empty one and use it; where the old one is now."""
        aside = self.servers.renew_documents() if self.servers else None
        self._revived()
        return aside

    def _revived(self) -> None:
        if self.servers is not None:
            self.addresses = self.servers.addresses
            self.documents.move_to(self.addresses.documents)

    @property
    def worker_database(self) -> Database:
        """The worker's own sign-in, for `clinicdesk documents`; CannotStart where there is none."""
        if self._worker_database is None:
            if self.addresses.worker is None:
                raise CannotStart("worker", "This computer may not deliver documents.", "Run it where the clinic's database is kept.")
            self._worker_database = self._open(self.addresses.worker, str(self.zone), pool_size=3)
        return self._worker_database

    def close(self) -> None:
        """Stop the worker, close connections, leave the servers (the last user stops its own)."""
        if self._reviver is not None:
            self._reviver.stop()
        if self._worker is not None:
            self._worker.stop()
        for database in (self.database, self._owner, self._worker_database):
            if database is not None:
                database.close()
        self.documents.close()
        if self.servers is not None:
            self.servers.close()


def open_clinic(settings: Settings, progress: Progress = lambda _: None, *, worker: bool = True) -> Clinic:
    """Open the clinic these settings name: start or find its servers, bring the tables up to date where this computer may, check the key.

    Takes seconds at the first start. Raises CannotStart with a sentence and what to do. Any thread but the GUI's.
    """
    prepare_data_dir(settings.data_dir)
    credentials = Credentials(settings.data_dir)
    progress("Starting the databases …")
    servers = open_servers(settings, credentials)
    try:
        return _opened(settings, credentials, servers, progress, worker=worker)
    except BaseException:
        servers.close()
        raise


def _opened(settings: Settings, credentials: Credentials, servers: Servers, progress: Progress, *, worker: bool) -> Clinic:
    addresses = servers.addresses
    progress("Checking the tables …")
    if addresses.owner is not None:
        schema.upgrade(addresses.owner)
    else:
        schema.require_current(addresses.app)
    vault, zone = _identity(settings, credentials, addresses)
    clinic = Clinic(settings, addresses, vault=vault, zone=zone, servers=servers)
    progress("Checking the document server …")
    try:
        clinic.documents.ensure()
    except Unavailable as away:
        log.warning("the document server is away: %s", away.sentence)
    if worker:
        clinic.start_worker()
        clinic.keep_servers_alive()
    return clinic


def _identity(settings: Settings, credentials: Credentials, addresses: Addresses) -> tuple[Vault, str]:
    """The clinic key and zone. A new clinic gets both from this computer; a known one must be opened with its own key."""
    database = Database(addresses.owner or addresses.app)
    try:
        with database.read() as session:
            fingerprint, zone = stored_setting(session, "clinic_key"), stored_setting(session, "zone")
        key = stored_key(credentials)
        if isinstance(fingerprint, str):
            with database.read() as session:
                vault = vault_of(session, key)
            with suppress(OSError):  # for a day without this database; a full disk must not keep anybody from working
                keep_former(settings.data_dir, vault)
            return vault, str(zone or settings.zone)
        if addresses.owner is None:
            raise CannotStart("clinic_new", "This clinic has not been set up yet.", "Start ClinicDesk once where its database is kept.")
        if key is None:
            key = new_key()
            store_key(credentials, key)
        vault = Vault(key)
        with database.write() as session:
            accounts.found_clinic(session, base64.b64encode(vault.fingerprint()).decode(), settings.zone)
        return vault, settings.zone
    finally:
        database.close()


def stored_key(credentials: Credentials) -> bytes | None:
    """The clinic key this workstation keeps; None when it has none."""
    text = credentials.get(CLINIC_KEY)
    return base64.b64decode(text) if text else None


def store_key(credentials: Credentials, key: bytes) -> None:
    """Keep the clinic key where this workstation keeps its secrets."""
    credentials.set(CLINIC_KEY, base64.b64encode(key).decode())
