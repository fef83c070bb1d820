"""Patient keys within a session: made at registration, read under row security, used to seal and open single fields."""

from __future__ import annotations

from sqlalchemy import func, insert, select

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
            {"patient_id": patient_id, "purpose": purpose, "wrapped": session.vault.wrap(key, patient_id, purpose)}
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
        known[patient_id, purpose] = session.vault.unwrap(_released(session, patient_id, purpose), patient_id, purpose)
    return known[patient_id, purpose]


def _released(session: ClinicSession, patient_id: str, purpose: str) -> bytes:
    """The wrapped key. A person gets it from a function of the database, which writes that down whatever becomes of this transaction; a key
    only this transaction may have yet (care it has just been given) is released in it. The owner's tools read the table."""
    if session.token is None:
        wrapped = session.scalar(select(PatientKey.wrapped).where(PatientKey.patient_id == patient_id, PatientKey.purpose == purpose))
    else:
        place = (session.token, patient_id, purpose)
        release = select(func.clinic.release_key(patient_id, purpose))
        wrapped = session.released.get(place)
        if wrapped is None:
            with session.aside() as other:
                wrapped = other.scalar(release)
            if wrapped is None and not session.read_only:
                wrapped = session.scalar(release)
            elif wrapped is not None:
                session.released.put(place, wrapped)
    if wrapped is None:
        raise NotAllowed
    return bytes(wrapped)


def seal_text(session: ClinicSession, place: Place, text: str | bytes, purpose: str = CLINICAL) -> bytes:
    """Seal for a place with the patient's key for a purpose."""
    return seal(key_of(session, place.patient_id, purpose), text, place)


def open_text(session: ClinicSession, place: Place, sealed: bytes, purpose: str = CLINICAL) -> str:
    """Open a sealed text of a place; SealBroken when it was tampered with."""
    return unseal(key_of(session, place.patient_id, purpose), sealed, place).decode()
