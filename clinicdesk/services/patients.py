"""Register and keep patients: every limit of FEATURES 2.1 is refused here at the field and once more by a constraint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from random import SystemRandom

from sqlalchemy import ARRAY, Text, any_, bindparam, delete, func, insert, select

from clinicdesk.errors import ChangedElsewhere, ClinicError, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.people import EmergencyContact as ContactTable
from clinicdesk.models.people import Patient, PatientTag, PatientTerm, SealedField
from clinicdesk.rules.formats import (
    check_email,
    check_name,
    check_phone,
    check_sex,
    check_ssn,
    check_tag,
    check_text,
    new_patient_id,
)
from clinicdesk.rules.moments import parse_birth_date
from clinicdesk.rules.names import patient_terms
from clinicdesk.services.duplicates import say_different
from clinicdesk.services.people import EmergencyContact, PatientCard, PatientForm
from clinicdesk.services.sealing import PURPOSES, key_of, make_keys
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, seal, unseal

_SEALED_IDENTITY = ("ssn", "added_note", "about_note")
_SEALED_CLINICAL = ("medical_history", "allergies", "medication")
_random = SystemRandom()


def check_form(form: PatientForm, today: date) -> dict[str, object]:
    """The values of a form, normalised: columns of `patients` by name, plus `contact`, `tags` and `sealed`.

    Raises Invalid naming the first field that breaks a rule.
    """
    contact = None
    if form.emergency_name.strip() or form.emergency_phone.strip():
        contact = {
            "name": check_name(form.emergency_name, "emergency_name"),
            "relation": check_text(form.emergency_relation, "emergency_relation"),
            "phone": check_phone(form.emergency_phone, "emergency_phone"),
        }
    sealed = {
        "ssn": check_ssn(form.ssn) if form.ssn.strip() else "",
        "added_note": check_text(form.added_note, "added_note"),
        "about_note": check_text(form.about_note, "about_note"),
    }
    for name in _SEALED_CLINICAL:
        said = getattr(form, name)
        if said is not None:
            sealed[name] = check_text(said, name)
    return {
        "first_name": check_name(form.first_name, "first_name"),
        "last_name": check_name(form.last_name, "last_name"),
        "title": check_text(form.title, "title"),
        "born": parse_birth_date(form.born, today),
        "sex": check_sex(form.sex),
        "phone": check_phone(form.phone),
        "email": check_email(form.email) if form.email.strip() else "",
        "address": check_text(form.address, "address"),
        "contact": contact,
        "tags": tuple(dict.fromkeys(check_tag(tag) for tag in form.tags)),
        "sealed": sealed,
    }


def register(session: ClinicSession, form: PatientForm, not_same: Iterable[str] = ()) -> str:
    """Register a patient; gives the new id. Invalid or Duplicate name the field; nothing is half-written.

    `not_same` are records that look alike and were said to be somebody else: nobody is asked about them again.
    """
    values = check_form(form, session.now().astimezone(session.zone).date())
    patient_id = store_new(session, values)
    say_different(session, patient_id, not_same)
    return patient_id


def store_new(session: ClinicSession, values: dict[str, object]) -> str:
    """Insert a checked patient with keys, terms, tags, contact and sealed texts."""
    columns, contact, tags, sealed = _split(values)
    for _ in range(5):
        patient_id = new_patient_id(_random)
        if session.get(Patient, patient_id) is None:
            break
    else:
        raise ClinicError("No free record number was found.", "Try again.")
    with session.attempt():
        session.add(Patient(id=patient_id, created_by=session.my_id, **columns))
        session.flush()
    keys = make_keys(session, patient_id)
    if contact:
        session.execute(insert(ContactTable).values(patient_id=patient_id, **contact))
    if tags:
        session.execute(insert(PatientTag), [{"patient_id": patient_id, "tag": tag} for tag in tags])
    rows = [
        {
            "patient_id": patient_id,
            "field": name,
            "body": seal(keys[PURPOSES[name]], text, _place(patient_id, name, 1)),
            "written_by": session.my_id,
        }
        for name, text in sealed.items()
        if text
    ]
    if rows:
        session.execute(insert(SealedField), rows)
    _write_terms(session, patient_id, columns, tags)
    return patient_id


def _split(values: dict[str, object]) -> tuple[dict[str, object], dict[str, str] | None, tuple[str, ...], dict[str, str]]:
    columns = dict(values)
    contact, tags, sealed = columns.pop("contact"), columns.pop("tags"), columns.pop("sealed")
    return columns, contact, tags, sealed  # type: ignore[return-value]


def _place(patient_id: str, field: str, version: int) -> Place:
    return Place(patient_id, "sealed_fields", field, version)


def _write_terms(session: ClinicSession, patient_id: str, columns: dict[str, object], tags: Iterable[str]) -> None:
    wanted = patient_terms(
        patient_id=patient_id,
        first_name=str(columns["first_name"]),
        last_name=str(columns["last_name"]),
        phone=str(columns["phone"] or ""),
        email=str(columns["email"] or ""),
        born=columns["born"],  # type: ignore[arg-type]
        tags=tags,
    )
    known = {
        (t.term, t.kind) for t in session.execute(select(PatientTerm.term, PatientTerm.kind).where(PatientTerm.patient_id == patient_id))
    }
    for term, kind in known - wanted:
        session.execute(delete(PatientTerm).where(PatientTerm.patient_id == patient_id, PatientTerm.term == term, PatientTerm.kind == kind))
    if wanted - known:
        session.execute(insert(PatientTerm), [{"term": t, "kind": k, "patient_id": patient_id} for t, k in sorted(wanted - known)])


def edit(session: ClinicSession, patient_id: str, form: PatientForm, version: int, not_same: Iterable[str] = ()) -> int:
    """Change a patient; gives the new version. ChangedElsewhere when it is no longer the version that was read.

    What is said at registration (`medical_history` …) is not changed here: the doctor keeps it in the chart.
    """
    row = session.get(Patient, patient_id)
    if row is None:
        raise NotAllowed
    if row.version != version:
        raise ChangedElsewhere("Somebody else changed this patient in the meantime.")
    values = check_form(replace(form, medical_history=None, allergies=None, medication=None), session.now().astimezone(session.zone).date())
    store_changed(session, row, values)
    say_different(session, patient_id, not_same)
    return row.version


def store_changed(session: ClinicSession, row: Patient, values: dict[str, object]) -> None:
    """Write checked values over a patient: columns, contact, tags, sealed texts, and what she is found by."""
    patient_id = row.id
    columns, contact, tags, sealed = _split(values)
    for name, value in columns.items():
        setattr(row, name, value)
    row.updated_at = session.now()
    with session.attempt():
        session.flush()
    session.execute(delete(ContactTable).where(ContactTable.patient_id == patient_id))
    if contact:
        session.execute(insert(ContactTable).values(patient_id=patient_id, **contact))
    _set_tags(session, patient_id, tags)
    for name, text in sealed.items():
        _reseal(session, patient_id, name, text)
    _write_terms(session, patient_id, columns, tags)


def _reseal(session: ClinicSession, patient_id: str, field: str, text: str) -> None:
    stored = session.get(SealedField, (patient_id, field))
    if stored is None and not text:
        return
    key = key_of(session, patient_id, PURPOSES[field])
    if stored is None:
        body = seal(key, text, _place(patient_id, field, 1))
        session.add(SealedField(patient_id=patient_id, field=field, body=body, written_by=session.my_id))
    elif unseal(key, stored.body, _place(patient_id, field, stored.version)).decode() != text:
        stored.body = seal(key, text, _place(patient_id, field, stored.version + 1))
        stored.written_by, stored.written_at = session.my_id, session.now()
    with session.attempt():
        session.flush()


def _set_tags(session: ClinicSession, patient_id: str, tags: Iterable[str]) -> None:
    wanted = set(tags)
    known = set(session.scalars(select(PatientTag.tag).where(PatientTag.patient_id == patient_id)))
    if known - wanted:
        session.execute(delete(PatientTag).where(PatientTag.patient_id == patient_id, PatientTag.tag.in_(known - wanted)))
    if wanted - known:
        session.execute(insert(PatientTag), [{"patient_id": patient_id, "tag": tag} for tag in sorted(wanted - known)])


def set_tags(session: ClinicSession, patient_id: str, tags: Iterable[str]) -> None:
    """Replace the tags of a patient, and what she is found by."""
    row = session.get(Patient, patient_id)
    if row is None:
        raise NotAllowed
    checked = tuple(dict.fromkeys(check_tag(tag) for tag in tags))
    _set_tags(session, patient_id, checked)
    _write_terms(session, patient_id, {name: getattr(row, name) for name in ("first_name", "last_name", "phone", "email", "born")}, checked)


def tags_in_use(session: ClinicSession) -> list[str]:
    """Every tag there is, the most used first."""
    counted = select(PatientTag.tag).group_by(PatientTag.tag).order_by(func.count().desc(), func.lower(PatientTag.tag)).limit(500)
    return list(session.scalars(counted))


def tag_many(session: ClinicSession, patient_ids: Iterable[str], tag: str, *, put_on: bool) -> list[str]:
    """Put a tag on several patients or take it off, all or none; whom it changed."""
    word = check_tag(tag)
    changed = []
    for patient_id in patient_ids:
        known = set(session.scalars(select(PatientTag.tag).where(PatientTag.patient_id == patient_id)))
        if (word in known) != put_on:
            set_tags(session, patient_id, sorted(known | {word} if put_on else known - {word}))
            changed.append(patient_id)
    return changed


def archive_many(session: ClinicSession, patient_ids: Iterable[str], *, restore: bool = False) -> int:
    """Archive or restore several patients whatever their version, all or none; how many changed."""
    changed = 0
    for row in session.scalars(select(Patient).where(Patient.id.in_(list(patient_ids)))):
        if (row.archived_at is None) != restore:
            row.archived_at = None if restore else session.now()
            changed += 1
    session.flush()
    return changed


def archive(session: ClinicSession, patient_id: str, version: int, *, restore: bool = False) -> int:
    """Take a patient out of sight, or back; nothing is deleted. Gives the new version."""
    row = session.get(Patient, patient_id)
    if row is None:
        raise NotAllowed
    if row.version != version:
        raise ChangedElsewhere("Somebody else changed this patient in the meantime.")
    row.archived_at = None if restore else session.now()
    session.flush()
    return row.version


#: Built once: reading a card is mostly waiting for statements to be put together.
_CARD = (
    select(
        Patient,
        User.name,
        ContactTable.name,
        ContactTable.relation,
        select(func.array_agg(PatientTag.tag)).where(PatientTag.patient_id == Patient.id).correlate(Patient).scalar_subquery(),
        ContactTable.phone,
    )
    .outerjoin(User, User.id == Patient.created_by)
    .outerjoin(ContactTable, ContactTable.patient_id == Patient.id)
    .where(Patient.id == bindparam("patient"))
)
_SEALED = select(SealedField.field, SealedField.body, SealedField.version).where(
    SealedField.patient_id == bindparam("patient"), SealedField.field == any_(bindparam("names", type_=ARRAY(Text)))
)


def card(session: ClinicSession, patient_id: str) -> PatientCard:
    """Identity of a patient, with what the reader may open of the sealed fields (others are None or empty)."""
    row = session.execute(_CARD, {"patient": patient_id}).one_or_none()
    if row is None:
        raise NotAllowed
    patient: Patient = row[0]
    said = sealed_texts(session, patient_id, _SEALED_IDENTITY)
    tags = tuple(sorted(row[4] or ()))
    return PatientCard(
        patient.id,
        patient.first_name,
        patient.last_name,
        patient.title,
        patient.born,
        patient.died,
        patient.sex,
        patient.phone or "",
        patient.email,
        patient.address,
        said.get("ssn"),
        EmergencyContact(row[2], row[3], row[5]) if row[2] else None,
        said.get("added_note", ""),
        said.get("about_note", ""),
        tags,
        patient.archived_at,
        row[1] or "",
        patient.created_at,
        patient.updated_at,
        patient.version,
    )


def sealed_texts(session: ClinicSession, patient_id: str, names: Iterable[str]) -> dict[str, str]:
    """The sealed fields of these names that exist and that the reader may open."""
    found = {}
    rows = session.execute(_SEALED, {"patient": patient_id, "names": list(names)}).all()
    for name, body, version in rows:
        found[name] = unseal(key_of(session, patient_id, PURPOSES[name]), body, _place(patient_id, name, version)).decode()
    return found


def form_of(patient: PatientCard) -> PatientForm:
    """A form filled with what is stored, for editing."""
    contact = patient.emergency_contact
    return PatientForm(
        first_name=patient.first_name,
        last_name=patient.last_name,
        title=patient.title,
        born=f"{patient.born:%Y-%m-%d}",
        sex=patient.sex,
        phone=patient.phone,
        email=patient.email,
        address=patient.address,
        ssn=patient.ssn or "",
        emergency_name=contact.name if contact else "",
        emergency_relation=contact.relation if contact else "",
        emergency_phone=contact.phone if contact else "",
        added_note=patient.added_note,
        about_note=patient.about_note,
        tags=patient.tags,
    )
