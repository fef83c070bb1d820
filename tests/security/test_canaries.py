"""Plain text on no disk: everything narrative is written through the real services on servers of this test alone, then every byte of
the data folder is searched (PostgreSQL's files and log of changes, the document store, logs, journals), and a dump of both databases."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest

from clinicdesk.clinic import Clinic, open_clinic
from clinicdesk.jobs.worker import deliver_all, deliver_files
from clinicdesk.rules.marks import Mark
from clinicdesk.services import (
    addenda,
    annotating,
    attachments,
    consultations,
    drafts,
    immunizations,
    journaling,
    records,
    session_log,
)
from clinicdesk.services.annotating import NewCopy
from clinicdesk.services.attachments import NewAttachment
from clinicdesk.services.drafts import ConsultationDraft
from clinicdesk.storage.addresses import libpq_address
from clinicdesk.storage.journal import Journal
from tests.clinics import Practice, fill_template, test_settings
from tests.files import pdf
from tests.services.test_addenda import consultation_of
from tests.visiting import FULL, as_owner, completed, started

NOTE, DRAFT, JOURNAL, ADDENDUM = "Zwielichtnote7731", "Zwielichtdraft7732", "Zwielichtjournal7733", "Zwielichtaddendum7734"
RECORD, REMARK, SESSION, HISTORY = "Zwielichtrecord7735", "Zwielichtremark7736", "Zwielichtsession7737", "Zwielichthistory7738"
SSN = "078-05-1120"
IN_PDF, IN_TEXT, TITLE, OVER_PAGE = "Zwielichtpdf7741", "Zwielichttext7742", "Zwielichttitle7743", "Zwielichtmark7744"
FILE_NAME, WITHDRAWN, NOT_GIVEN = "Zwielichtfile7745", "Zwielichtwithdrawn7746", "Zwielichtvaccine7747"
SECRETS = (NOTE, DRAFT, JOURNAL, ADDENDUM, RECORD, REMARK, SESSION, HISTORY, SSN, SSN.replace("-", ""), IN_PDF, IN_TEXT, TITLE, OVER_PAGE,
           FILE_NAME, WITHDRAWN, NOT_GIVEN)
#: Stored in plain on purpose (tags are searched by reception): proves that the search finds what is there.
PLAIN = "zwielichttag7739"


def spellings(text: str) -> list[bytes]:
    """The text as it might lie on a disk: as it is, in two bytes a letter, in hexadecimal, in base 64 at each of three offsets."""
    raw = text.encode()
    base = {base64.b64encode(b"\0" * shift + raw)[(4 if shift else 0) : -4] for shift in range(3)}
    return [raw, text.encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode(), *(one for one in base if len(one) > 8)]


def found_in(folder: Path, text: str) -> list[str]:
    """Files that hold the text in any spelling."""
    wanted = spellings(text)
    hits = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            hits += [str(path.relative_to(folder)) for one in wanted if one in content]
    return hits


@pytest.fixture
def clinic(clinic_folder: Path) -> Iterator[Clinic]:
    made = open_clinic(test_settings(clinic_folder), worker=False)
    yield made
    made.close()


@pytest.fixture
def practice(clinic: Clinic) -> Practice:
    return Practice(clinic, fill_template(clinic))


def fill(practice: Practice, patient: str = "") -> Journal:
    """Write every kind of narrative there is, about somebody new unless told whom; the journal is still open."""
    patient = patient or practice.patient(ssn=SSN, medical_history=HISTORY, tags=(PLAIN,))
    done = completed(practice, patient, replace(FULL, notes={"plan": f"Rest. {NOTE}"}))
    begun = started(practice, patient, hour=11)
    with practice.write("dora") as session:
        addenda.add(session, consultation_of(practice, done.visit_id), ADDENDUM)
        drafts.save(session, begun, ConsultationDraft(notes={"plan": DRAFT}), 0)
        number = records.add(session, patient, "letter", "Letter", RECORD)
        records.annotate(session, next(r for r in records.of_patient(session, patient) if r.id == number), REMARK)
        session_log.add(session, patient, "speech", "Session", 45, session.now(), SESSION, "key")
        sheet = consultations.open_sheet(session, begun)
    fill_files(practice, patient)
    journal = Journal(sheet.journal, lambda _error: None)
    typed = ConsultationDraft(notes={"plan": JOURNAL})
    journal.put(journaling.snapshot(typed, typed, 1, practice.clinic.database.now()))
    assert journal.flush()
    deliver_all(practice.clinic.worker_database)
    return journal


def fill_files(practice: Practice, patient: str) -> None:
    """Attachments in the document server and in staging, annotated, withdrawn, opened again; a vaccine not given."""
    for delivered in (True, False):
        with practice.write("dora") as session:
            paper = attachments.add(session, NewAttachment(patient, TITLE, pdf(IN_PDF), f"{FILE_NAME}.pdf"))
            annotating.keep_copy(session, NewCopy(paper, TITLE, (Mark(0, "text", ((0.2, 0.2),), OVER_PAGE),)))
            words = attachments.add(session, NewAttachment(patient, TITLE, f"Report. {IN_TEXT}\n".encode() * 9, f"{FILE_NAME}.txt"))
            attachments.withdraw(session, words, WITHDRAWN)
        if delivered:
            assert deliver_files(practice.clinic.worker_database) == 3
        with practice.read("dora") as session:
            assert IN_PDF.encode() in attachments.content(session, paper) and IN_TEXT.encode() in attachments.content(session, words)
    with practice.write("dora") as session:
        immunizations.add(session, patient, immunizations.NewImmunization("Polio", "2020", reason="other", note=NOT_GIVEN))


def dump(practice: Practice, into: Path) -> None:
    """Both databases as a backup would take them: every table as the backup role, every document."""
    embedded: Any = practice.clinic.servers and practice.clinic.servers.embedded
    address = practice.clinic.addresses
    assert address.backup
    with (into / "postgresql.sql").open("wb") as output:
        subprocess.run([str(embedded._postgres._bin / "pg_dump"), "--schema=auth", "--schema=clinic", libpq_address(address.backup)],
                       stdout=output, check=True, timeout=60)
    with pymongo.MongoClient(str(address.documents)) as client, (into / "documents.txt").open("w", encoding="utf-8") as output:
        store = client[practice.clinic.settings.mongodb_db_name]
        for name in store.list_collection_names():
            output.writelines(f"{name} {document!r}\n" for document in store[name].find({}))


def test_no_narrative_and_no_identifier_lies_in_plain_on_any_disk(
    practice: Practice, clinic_folder: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    made: list[str] = []
    real = tempfile._mkstemp_inner  # type: ignore[attr-defined]
    monkeypatch.setattr(tempfile, "_mkstemp_inner", lambda folder, *rest: (made.append(folder), real(folder, *rest))[1])
    journal = fill(practice)
    assert [folder for folder in made if folder == str(temporary)] == [], "no temporary file, not even one that was taken away again"
    assert list(temporary.rglob("*")) == []
    as_owner(practice, "select pg_current_wal_lsn()")
    with psycopg.connect(libpq_address(str(practice.clinic.addresses.admin)), autocommit=True) as admin:
        admin.execute("checkpoint")
    dump(practice, tmp_path)
    places = {"data folder": clinic_folder, "dumps": tmp_path}
    for name, place in places.items():
        assert found_in(place, PLAIN), f"the search finds what is in plain in the {name}"
        leaks = {secret: hits for secret in SECRETS if (hits := found_in(place, secret))}
        assert leaks == {}, name
    assert journal.path.exists() and (clinic_folder / "log" / "postgresql.log").exists(), "the journal and the logs were searched"
    journal.close(keep=False)


def test_the_search_knows_every_spelling(tmp_path: Path) -> None:
    for number, one in enumerate(spellings(NOTE)):
        (tmp_path / f"{number}.bin").write_bytes(b"before" + one + b"after")
    assert len(set(found_in(tmp_path, NOTE))) == len(spellings(NOTE)) >= 6
    assert found_in(tmp_path, DRAFT) == []
