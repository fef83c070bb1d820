"""Every ciphertext there is, put in every other's place (another patient, field, record or version): it never opens.

`Recorder` notes under which key and for which place each ciphertext was sealed by the real services. What is stored, found through the
models and so also in a column added later, must be among what was noted; then each is tried at every other's place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pymongo
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary

from clinicdesk.jobs.worker import deliver_all, deliver_files
from clinicdesk.models import Base
from clinicdesk.services import (
    addenda,
    attachments,
    chart,
    consultations,
    drafts,
    glass,
    immunizations,
    medication,
    merging,
    papers,
    patients,
    photos,
    records,
    risks,
    session_log,
    signing,
    visits,
)
from clinicdesk.services.attachments import PIECE, Damaged, NewAttachment
from clinicdesk.services.drafts import ConsultationDraft
from clinicdesk.services.risks import ProblemForm
from clinicdesk.storage import vault
from clinicdesk.storage.vault import ENVELOPE, SealBroken
from tests.clinics import Practice
from tests.security.conftest import small_picture
from tests.services.test_papers import NOTE
from tests.services.test_safety import AMOX, DRAFT, reason, worst
from tests.visiting import FULL, TABLET, as_owner, completed, started

#: Columns of bytes that are no ciphertext: checksums, public keys, signatures, proofs; and the clinic key's own generations, which
#: tests/security/test_key_change.py looks after.
NOT_SEALED = {
    "auth.one_time_codes.hash", "auth.second_factors.secret", "auth.tries.given",  # read by functions of the owner alone
    "auth.credentials.salt", "auth.credentials.verifier", "auth.secrets.value", "auth.sessions.token_hash",
    "clinic.attachments.sealed_sha256", "clinic.consultations.content_sha256", "clinic.papers.pdf_sha256",
    "clinic.prescriptions.pdf_sha256", "clinic.signatures.signature", "clinic.signing_keys.certificate", "clinic.signing_keys.public_key",
    "auth.enrolments.public_key", "auth.enrolments.sealed",  # sealed for a computer: tests/security/test_enrolling.py
    "clinic.erasures.proof", "clinic.clinic_keys.fingerprint", "clinic.clinic_keys.former",
}


@dataclass(frozen=True)
class Noted:
    """A ciphertext with the key and the place it was sealed for."""

    envelope: bytes
    key: bytes
    bound: bytes


class Recorder:
    """Stands between the vault and the cipher."""

    noted: list[Noted]

    def __init__(self, key: bytes) -> None:
        self._key, self._cipher = key, AESGCM(key)

    def encrypt(self, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        sealed = self._cipher.encrypt(nonce, plain, bound)
        self.noted.append(Noted(b"\x01" + nonce + sealed, self._key, bound))
        return sealed

    def decrypt(self, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        return self._cipher.decrypt(nonce, sealed, bound)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Noted]]:
    Recorder.noted = []
    monkeypatch.setattr(vault, "AESGCM", Recorder)
    return Recorder.noted


def fill(practice: Practice, hour: int) -> str:
    """Write something into every sealed column about one patient, and a second time wherever that can be done."""
    patient = practice.patient(ssn="078-05-1120", medical_history="asthma", allergies="cats", medication="none", added_note="deaf",
                               about_note="tall")
    for word in ("deaf, brings her sister", "hears well again"):
        with practice.write("rita") as session:
            form = patients.form_of(card := patients.card(session, patient))
            patients.edit(session, patient, replace(form, added_note=word), card.version)
            photos.put(session, patient, small_picture())
    done = completed(practice, patient, replace(FULL, items=(TABLET,)), hour=hour)
    begun = started(practice, patient, hour=hour, minute=20)
    for word in ("covers for a colleague", "a result came in"):
        with practice.write("hugo") as session:
            glass.end(session, glass.break_glass(session, patient, "other", word).id)
    with practice.write("dora") as session:
        visit, _words = visits.newest(session, _consultation(practice, str(done.visit_id)))
        for word in ("an afterthought", "and one more"):
            addenda.add(session, visit.consultation_id, word)
        for version, word in enumerate(("rest", "rest and tea")):
            drafts.save(session, begun, ConsultationDraft(notes={"plan": word}), version)
        number = records.add(session, patient, "letter", "Letter", "words of a letter")
        row = next(r for r in records.of_patient(session, patient) if r.id == number)
        for word in ("seen", "seen again"):
            records.annotate(session, row, word)
        for word in ("first", "second"):
            session_log.add(session, patient, "speech", "Session", 45, session.now(), word, f"{patient} {word}")
            immunizations.add(session, patient, immunizations.NewImmunization("Polio", "2020", reason="other", note=word))
            problem = risks.add_problem(session, patient, ProblemForm("Asthma"))
            risks.end_problem(session, problem, 1, word)
            allergy = chart.add_allergy(session, patient, "latex")
            risks.end_allergy(session, allergy or _allergy(practice, patient), 1, word)
            file = attachments.add(session, NewAttachment(patient, f"Letter {word}", f"words {word} ".encode() * 200_000, f"{word}.txt"))
        attachments.withdraw(session, file, "of somebody else")
        for medicine in medication.current(session, patient):
            medication.stop(session, medicine.id, medicine.version, "other", "swollen ankles")
    _alert_and_papers(practice, patient, hour)
    lost = practice.patient()
    with practice.write("rita") as session:
        merging.merge(session, patient, lost, (patients.card(session, patient).version, 1))
    return patient


def _alert_and_papers(practice: Practice, patient: str, hour: int) -> None:
    consultation = started(practice, patient, hour=hour, minute=40)
    with practice.write("dora") as session:
        chart.add_allergy(session, patient, "amoxicillin", reaction="anaphylaxis", severity="severe")
    alert = worst(practice, patient)
    with practice.write("dora") as session:
        consultations.complete(session, consultation, replace(DRAFT, items=(AMOX,), reasons=(reason(alert),)), 0)
        number = papers.issue(session, papers.source_for(session, patient, "SN"), NOTE)
        papers.cancel(session, number, "wrong dates")


def _consultation(practice: Practice, visit: str) -> int:
    return int(as_owner(practice, "select consultation_id from clinic.visits where id = %s", visit)[0][0])


def _allergy(practice: Practice, patient: str) -> int:
    return int(as_owner(practice, "select max(id) from clinic.allergies where patient_id = %s", patient)[0][0])


def stored(practice: Practice) -> dict[str, list[bytes]]:
    """Every sealed column of every model with what stands in it; visit documents and pieces of files of the document server."""
    found: dict[str, list[bytes]] = {}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            name = f"{table.schema}.{table.name}.{column.name}"
            if isinstance(column.type, LargeBinary) and name not in NOT_SEALED:
                rows = as_owner(practice, f"select {column.name} from {table.schema}.{table.name} where {column.name} is not null")
                found[name] = [bytes(row[0]) for row in rows]
    settings = practice.clinic.settings
    with pymongo.MongoClient(str(practice.clinic.addresses.documents)) as client:
        for document in client[settings.mongodb_db_name][settings.mongodb_collection_name].find({}):
            for part in ("notes", "prescription", "visit"):
                found.setdefault(f"documents.{part}", []).append(bytes(document[part]))
    files = [str(row[0]) for row in as_owner(practice, "select id from clinic.attachments where delivered_at is not null")]
    found["documents.pieces"] = [piece for name in files for piece in practice.clinic.documents.get_file(name, PIECE + ENVELOPE)]
    return found


def test_no_ciphertext_opens_in_the_place_of_another(practice: Practice, noted: list[Noted]) -> None:
    fill(practice, 9)
    fill(practice, 11)
    staged = {"clinic.attachment_chunks.body": stored(practice)["clinic.attachment_chunks.body"]}
    deliver_all(practice.clinic.worker_database)
    deliver_files(practice.clinic.worker_database)
    everything = stored(practice) | staged
    assert [name for name, values in everything.items() if not values] == [], "the test writes nothing there"
    known = {one.envelope: one for one in noted}
    assert [name for name, values in everything.items() if any(value not in known for value in values)] == [], "not sealed by the vault"
    where = {value: name for name, values in everything.items() for value in values}
    ours = [one for one in noted if b"journal" not in one.bound]  # with older versions, which no table has any more
    assert len(ours) > len(where) > 60
    opened = []
    for one in ours:
        for other in ours:
            if one.envelope != other.envelope and (one.key, one.bound) != (other.key, other.bound):
                with pytest.raises(InvalidTag):
                    AESGCM(other.key).decrypt(one.envelope[1:13], one.envelope[13:], other.bound)
            elif one.envelope != other.envelope:
                opened.append((where.get(one.envelope, "older"), where.get(other.envelope, "older"), other.bound))
    assert opened == [], "these were sealed for the same place"


SWAPS = {
    "a sealed field between patients": "update clinic.sealed_fields s set body = o.body, version = s.version + 1"
    " from clinic.sealed_fields o where s.patient_id = %(a)s and o.patient_id = %(b)s and s.field = o.field",
    "a sealed field between fields": "update clinic.sealed_fields s set body = o.body, version = s.version + 1 from clinic.sealed_fields o"
    " where s.patient_id = %(a)s and o.patient_id = s.patient_id and s.field = 'ssn' and o.field = 'about_note'",
    "a key between patients": "update clinic.patient_keys s set wrapped = o.wrapped from clinic.patient_keys o"
    " where s.patient_id = %(a)s and o.patient_id = %(b)s and s.purpose = o.purpose",
    "a key between purposes": "update clinic.patient_keys s set wrapped = o.wrapped from clinic.patient_keys o"
    " where s.patient_id = %(a)s and o.patient_id = s.patient_id and s.purpose = 'identity' and o.purpose = 'clinical'",
    "a photo between patients": "update clinic.photos s set body = o.body from clinic.photos o"
    " where s.patient_id = %(a)s and o.patient_id = %(b)s",
}


@pytest.mark.parametrize("what", SWAPS)
def test_the_services_say_so(practice: Practice, what: str) -> None:
    one, other = (practice.patient(ssn=ssn, about_note=ssn, added_note=ssn) for ssn in ("078-05-1120", "078-05-1121"))
    for patient in (one, other):
        with practice.write("rita") as session:
            photos.put(session, patient, small_picture())
    as_owner(practice, SWAPS[what].replace("%(a)s", f"'{one}'").replace("%(b)s", f"'{other}'"))
    practice.clinic.database._released.clear()  # what the program was given before
    with practice.read("rita") as session, pytest.raises(SealBroken):
        photos.of(session, one)
        patients.card(session, one)
    with practice.read("rita") as session:
        assert patients.card(session, other).ssn == "078-05-1121"


def test_moved_documents_and_pieces_are_said_to_be_broken(practice: Practice) -> None:
    one, other = practice.patient(), practice.patient()
    texts: dict[str, Any] = {}
    for hour, patient in ((9, one), (10, other)):
        completed(practice, patient, hour=hour)
        with practice.write("dora") as session:
            texts[patient] = attachments.add(session, NewAttachment(patient, "Letter", f"of {patient} ".encode() * 40, "letter.txt"))
    deliver_all(practice.clinic.worker_database)
    deliver_files(practice.clinic.worker_database)
    settings = practice.clinic.settings
    with pymongo.MongoClient(str(practice.clinic.addresses.documents)) as client:
        store = client[settings.mongodb_db_name]
        documents = store[settings.mongodb_collection_name]
        (from_other,) = documents.find({"patient_id": other})
        documents.update_one({"patient_id": one}, {"$set": {part: from_other[part] for part in ("notes", "prescription", "visit")}})
        pieces = store[f"{settings.mongodb_collection_name}_attachments.chunks"]
        piece = pieces.find_one({"files_id": str(texts[other])})
        pieces.update_one({"files_id": str(texts[one])}, {"$set": {"data": piece["data"]}})
    with practice.read("dora") as session:
        (moved,) = visits.read(session, visits.of_patient(session, one))
        (good,) = visits.read(session, visits.of_patient(session, other))
        assert (moved.source, moved.notes, good.source) == ("broken", {}, "documents")
        with pytest.raises(Damaged):
            attachments.content(session, texts[one])


def test_a_signing_key_of_another_doctor_does_not_open(practice: Practice) -> None:
    patient = practice.patient()
    for hour, doctor in ((9, "dora"), (10, "hugo")):
        completed(practice, patient, hour=hour, doctor=doctor)
    as_owner(practice, "update clinic.signing_secrets s set wrapped = o.wrapped from clinic.signing_secrets o where s.key_id <> o.key_id")
    with practice.read("dora") as session, pytest.raises(SealBroken):
        signing.signer(session)
