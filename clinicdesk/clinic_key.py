"""The clinic key on paper: shown by a computer that has it, entered on one that does not."""

from __future__ import annotations

import base64

from clinicdesk.clinic import store_key, stored_key
from clinicdesk.config import Settings, prepare_data_dir
from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart
from clinicdesk.rules.key_code import key_code, read_key_code
from clinicdesk.services.settings import stored_setting
from clinicdesk.storage import schema
from clinicdesk.storage.database import Database
from clinicdesk.storage.servers import open_servers
from clinicdesk.storage.vault import Vault


def show(settings: Settings) -> str:
    """The code of the key this computer holds. CannotStart(`clinic_key`) when it holds none."""
    prepare_data_dir(settings.data_dir)
    key = stored_key(Credentials(settings.data_dir))
    if key is None:
        raise CannotStart("clinic_key", "This computer does not hold the key of a clinic.",
                          "Start ClinicDesk once, or enter the key with “clinicdesk key enter”.")
    return key_code(key)


def enter(settings: Settings, typed: str) -> bool:
    """Keep the key that was typed, after the clinic's database has confirmed it; False when this computer held it already.

    CannotStart: `key_code` for a code with a mistake, `clinic_new` where nothing has been sealed yet, `clinic_key` for another clinic's.
    """
    key = read_key_code(typed)
    if key is None:
        raise CannotStart("key_code", "This is not a clinic key: something was left out or mistyped.",
                          "It has 14 groups of four letters and digits. Compare them one by one.")
    prepare_data_dir(settings.data_dir)
    credentials = Credentials(settings.data_dir)
    servers = open_servers(settings, credentials)
    try:
        fingerprint = _fingerprint(servers.addresses.app)
    finally:
        servers.close()
    if fingerprint is None:
        raise CannotStart("clinic_new", "This clinic has not been set up yet.", "Start ClinicDesk once where its database is kept.")
    if not Vault(key).fits(fingerprint):
        raise CannotStart("clinic_key", "This is the key of another clinic.", "Print the right one with “clinicdesk key show”.")
    if stored_key(credentials) == key:
        return False
    store_key(credentials, key)
    return True


def _fingerprint(url: str) -> bytes | None:
    schema.require_current(url)
    database = Database(url)
    try:
        with database.read() as session:
            found = stored_setting(session, "clinic_key")
    finally:
        database.close()
    return base64.b64decode(found) if isinstance(found, str) and found else None
