"""The clinic key on paper: shown by a computer that has it, entered or recovered on one that does not."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path

from clinicdesk.clinic import store_key, stored_key
from clinicdesk.config import Settings, prepare_data_dir
from clinicdesk.credentials import Credentials, start_over
from clinicdesk.errors import CannotStart
from clinicdesk.pdf.reading import NoPdf, page_pictures
from clinicdesk.rules.key_code import KIT_PREFIX, key_code, read_key_code
from clinicdesk.services import enrolling
from clinicdesk.services.clinic_keys import fingerprints, vault_of
from clinicdesk.storage import schema
from clinicdesk.storage.database import Database
from clinicdesk.storage.enrolling import Newcomer
from clinicdesk.storage.servers import Servers, embedded_servers, open_servers
from clinicdesk.verifying.pictures import NoPicture, codes_in, opened

_LARGEST_KIT = 50_000_000  # bytes


def held(settings: Settings) -> bytes:
    """The key this computer holds. CannotStart(`clinic_key`) when it holds none."""
    prepare_data_dir(settings.data_dir)
    key = stored_key(Credentials(settings.data_dir))
    if key is None:
        raise CannotStart("clinic_key", "This computer does not hold the key of a clinic.",
                          "Start ClinicDesk once, or enter the key with “clinicdesk key enter”.")
    return key


def show(settings: Settings) -> str:
    """The code of the key this computer holds. CannotStart(`clinic_key`) when it holds none."""
    return key_code(held(settings))


def read_kit(path: Path) -> str:
    """The code on a scan, a photograph or the PDF of a recovery kit. CannotStart(`key_code`) when there is none to be read."""
    try:
        if path.stat().st_size > _LARGEST_KIT:
            raise NoPicture("too large")
        content = path.read_bytes()
        pages = page_pictures(content) if b"%PDF-" in content[:1024] else [opened(content)]
        codes = codes_in(pages, KIT_PREFIX)
    except OSError as error:
        raise CannotStart("key_code", f"{path} cannot be read: {error.strerror}.", "Name the scan or photograph of the kit.") from None
    except (NoPdf, NoPicture):
        codes = []
    if not codes:
        raise CannotStart("key_code", "No code of a recovery kit could be read in this file.",
                          "Scan the page flat with at least 150 dpi, or type the code: “clinicdesk recover” without --kit asks for it.")
    return codes[0]


def enter(settings: Settings, typed: str, *, recover: bool = False, keyring_lost: bool = False) -> bool:
    """Keep the key that was typed, after the clinic's database has confirmed it; False when this computer held it already.

    With `recover` the own servers of this folder are given new passwords when theirs are lost; with `keyring_lost` the keyring that
    held them is not asked for them any more. CannotStart: `key_code` for a code with a mistake, `clinic_new` where nothing has been
    sealed yet, `clinic_key` for another clinic's, `clinic_key_old` for one that was changed since.
    """
    key = read_key_code(typed)
    if key is None:
        raise CannotStart("key_code", "This is not a clinic key: something was left out or mistyped.",
                          "It has 14 groups of four letters and digits. Compare them one by one.")
    prepare_data_dir(settings.data_dir)
    if keyring_lost:
        start_over(settings.data_dir)
    credentials = Credentials(settings.data_dir)
    servers = _servers(settings, credentials) if recover else open_servers(settings, credentials)
    try:
        _confirm(servers.addresses.owner if recover and servers.addresses.owner else servers.addresses.app, key,
                 upgrade=recover and servers.addresses.owner is not None)
    finally:
        servers.close()
    if stored_key(credentials) == key:
        return False
    store_key(credentials, key)
    return True


def enrol(settings: Settings, say: Callable[[str], object], pause: Callable[[float], object] = time.sleep) -> bool:
    """Ask for the key over the shared database and wait for an administrator; False when nobody let this computer in in time.

    `say(code)` shows the code she must be told. CannotStart as `enter`.
    """
    prepare_data_dir(settings.data_dir)
    credentials = Credentials(settings.data_dir)
    servers = open_servers(settings, credentials)
    database = Database(servers.addresses.app)
    try:
        schema.require_current(servers.addresses.app)
        newcomer, deadline = Newcomer(), time.monotonic() + enrolling.MINUTES * 60
        with database.write() as session:
            code = enrolling.ask(session, newcomer, platform.node())
        say(code)
        key = None
        while key is None and time.monotonic() < deadline:
            pause(1.0)
            with database.write() as session:
                key = enrolling.take(session, newcomer)
        if key is None:
            return False
        _confirm(servers.addresses.app, key, upgrade=False)
        store_key(credentials, key)
        return True
    finally:
        database.close()
        servers.close()


def _servers(settings: Settings, credentials: Credentials) -> Servers:
    """The servers, let in again when the passwords of this folder's own ones are lost."""
    try:
        servers = open_servers(settings, credentials)
        trouble = servers.embedded.documents_trouble if servers.embedded else None
        if trouble is None or trouble.code != "password_lost":
            return servers
        servers.close()
    except CannotStart as error:
        if error.code == "keyring":
            raise CannotStart("keyring", error.sentence, "Unlock the keyring and try again. If it is gone with its computer or account, use"
                              " “clinicdesk recover --keyring-lost”.") from None
        if error.code != "password_lost":
            raise
    embedded_servers(settings, credentials).renew_passwords()
    return open_servers(settings, credentials)


def _confirm(url: str, key: bytes, *, upgrade: bool) -> None:
    """Raise unless the clinic behind this address is the one of the key, in its newest generation."""
    if upgrade:
        schema.upgrade(url)
    else:
        schema.require_current(url)
    database = Database(url)
    try:
        with database.read() as session:
            if not fingerprints(session):
                raise CannotStart("clinic_new", "This clinic has not been set up yet.",
                                  "Start ClinicDesk once where its database is kept.")
            try:
                vault_of(session, key)
            except CannotStart as error:
                if error.code != "clinic_key":
                    raise
                raise CannotStart("clinic_key", "This is the key of another clinic.",
                                  "Print the right one with “clinicdesk key show”.") from None
    finally:
        database.close()
