"""Patient keys within a session: made at registration, read under row security, used to seal and open single fields."""

from __future__ import annotations

import secrets

from sqlalchemy import insert, select, text

from clinicdesk.errors import NotAllowed
from clinicdesk.models.people import PatientKey
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, new_key, seal, unseal

IDENTITY = "identity"
CLINICAL = "clinical"
#: Fields of `sealed_fields` → the purpose whose key seals them.
PURPOSES = {
    "ssn": IDENTITY,
    "added_note": IDENTITY,
    "about_note": IDENTITY,
    "medical_history": CLINICAL,
    "allergies": CLINICAL,
    "medication": CLINICAL,
}


def make_keys(session: ClinicSession, patient_id: str) -> dict[str, bytes]:
    """Make and store both keys of a new patient; gives them back, because reception cannot read the clinical one later."""
    keys = {IDENTITY: new_key(), CLINICAL: new_key()}
    session.execute(
        insert(PatientKey),
        [
            {"patient_id": patient_id, "purpose": purpose, "wrapped": session.vault.wrap(key, patient_id, purpose),
             "generation": session.vault.generation}
            for purpose, key in keys.items()
        ],
    )
    return keys


def key_of(session: ClinicSession, patient_id: str, purpose: str) -> bytes:
    """The patient's key for a purpose.

    Raises NotAllowed when the reader may not have it (or the patient does not exist: the two look the same).
    """
    known: dict[tuple[str, str], bytes] = session.info.setdefault("patient_keys", {})
    if (patient_id, purpose) not in known:
        wrapped, generation = _released(session, patient_id, purpose)
        known[patient_id, purpose] = session.vault.unwrap(wrapped, patient_id, purpose, generation)
    return known[patient_id, purpose]


def _released(session: ClinicSession, patient_id: str, purpose: str) -> tuple[bytes, int]:
    """The wrapped key and its generation. A person gets it from a function of the database, which writes that down whatever becomes of
    this transaction; a key only this transaction may have yet (care it has just been given) is released in it. The owner's tools read
    the table.
    """
    if session.token is None:
        own = select(PatientKey.wrapped, PatientKey.generation).where(PatientKey.patient_id == patient_id, PatientKey.purpose == purpose)
        found = session.execute(own).one_or_none()
        if found is None:
            raise NotAllowed
        return bytes(found.wrapped), found.generation
    place = (session.token, patient_id, purpose)
    kept = session.released.get(place)
    if kept is not None:
        return kept
    release = text("select wrapped, generation from clinic.release_key(:patient, :purpose)")
    asked = {"patient": patient_id, "purpose": purpose}
    with session.aside() as other:
        row = other.execute(release, asked).one()
    if row.wrapped is None and not session.read_only:
        row = session.execute(release, asked).one()
    if row.wrapped is None:
        raise NotAllowed
    released = bytes(row.wrapped), int(row.generation)
    session.released.put(place, released)
    return released


def seal_number() -> int:
    """A number that tells a sealed text from others of the same record and field; it stands beside the text as its place's version.

    At random, so that nothing sealed before ever had it; 1 is that of texts sealed before there were numbers.
    """
    return secrets.randbelow(2**31 - 2) + 2


def seal_text(session: ClinicSession, place: Place, text: str | bytes, purpose: str = CLINICAL) -> bytes:
    """Seal for a place with the patient's key for a purpose."""
    return seal(key_of(session, place.patient_id, purpose), text, place)


def open_text(session: ClinicSession, place: Place, sealed: bytes, purpose: str = CLINICAL) -> str:
    """Open a sealed text of a place; SealBroken when it was tampered with."""
    return unseal(key_of(session, place.patient_id, purpose), sealed, place).decode()
