"""Which clinic key is the right one: fingerprints of every generation, and the vault that a key opens."""

from __future__ import annotations

import base64

from sqlalchemy import select

from clinicdesk.errors import CannotStart
from clinicdesk.models.erasing import ClinicKey
from clinicdesk.services.settings import stored_setting
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Vault


def fingerprints(session: ClinicSession) -> dict[int, bytes]:
    """The fingerprint of every generation of the clinic key; empty for a clinic that has not been set up yet."""
    first = stored_setting(session, "clinic_key")
    if not isinstance(first, str) or not first:
        return {}
    later = session.rows(select(ClinicKey.generation, ClinicKey.fingerprint))
    return {1: base64.b64decode(first), **dict(later)}


def vault_of(session: ClinicSession, key: bytes | None) -> Vault:
    """The vault of this clinic that a key opens, with the keys before it.

    CannotStart: `clinic_key` for no key or another clinic's, `clinic_key_old` for one that was changed since.
    """
    known = fingerprints(session)
    number = next((n for n in sorted(known, reverse=True) if key is not None and Vault(key, n).fits(known[n])), None)
    if key is None or number is None:
        raise CannotStart("clinic_key", "This computer does not hold the key of this clinic.",
                          "Enter it from the recovery kit with “clinicdesk recover”; “clinicdesk key show” prints it on a computer"
                          " that has it.")
    rows = {row.generation: row for row in session.scalars(select(ClinicKey))}
    if any(n > number and row.finished_at is not None for n, row in rows.items()):
        raise CannotStart("clinic_key_old", "The key of this clinic was changed since this one was made.",
                          "Enter the new one, from the newest recovery kit, with “clinicdesk recover”.")
    vault = Vault(key, number)
    for n in range(number, 1, -1):
        vault.learn_former(rows[n].former, n)
    return vault
