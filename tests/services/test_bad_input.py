"""What strangers, scripts and clipboards put into a clinic: refused in one sentence with nothing written, or kept exactly."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import unicodedata
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from clinicdesk.errors import ClinicError, Invalid, SignInRefused, VisitSigned
from clinicdesk.services import chart, consultations, drafts, finding, patients, prescriptions, records, visits
from clinicdesk.services.drafts import ConsultationDraft
from tests.clinics import PASSWORD, Practice
from tests.services.test_consultations import written
from tests.visiting import FULL, TABLET, as_owner, completed, counted, started

HOSTILE = (
    "' or '1'='1", "rita'; drop table auth.users; --", 'rita"; select pg_sleep(9); --', "%(name)s :name {name} \\x00 %s", "ri\x00ta",
    "\u202erita\u202c", "x" * 10_240, "rita\u200b", "\ud800", "🙂" * 300, "", "   ", "\n\t",
)


@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_sign_in_is_refused_like_a_wrong_password_and_counted(practice: Practice, typed: str) -> None:
    before = as_owner(practice, "select count(*) from auth.users")
    for number, (name, password) in enumerate(((typed, typed), ("dora", typed))):
        with pytest.raises(SignInRefused, match=r"^Name or password is wrong\.$"):
            practice.clinic.sign_in(name, password, f"desk {typed[:5]!r} {number}")
    assert as_owner(practice, "select count(*) from auth.users") == before
    assert as_owner(practice, "select count(*) from auth.sessions") == [(0,)]
    assert as_owner(practice, "select max(failed) from auth.attempts where starts_with(subject, 'user:')") == [(1,)]
    assert practice.clinic.sign_in("dora", PASSWORD, "desk").me.username == "dora", "and she can still sign in"


#: What stands in an item, and what the sentence about it holds.
UNPRINTABLE = (
    ({"medicine": "ยาพาราเซตามอล"}, "Thai"), ({"medicine": "阿莫西林"}, "Chinese"), ({"instructions": "with food 🙂"}, "cannot be printed"),
    ({"medicine": "m" * 300}, "200 characters"), ({"instructions": "i" * 301}, "300"), ({"indication": "i" * 201}, "200"),
    ({"strength": "s" * 5_000}, "characters"), ({"form": "f" * 5_000}, "characters"), ({"brand": "b" * 5_000}, "characters"),
    ({"medicine": "amlo\x00dipine"}, "character"), ({"instructions": "\ud800"}, "cannot be printed"), ({"medicine": "\x01"}, ""),
    ({"dose_value": "0.0004"}, "three decimals"), ({"dose_value": "NaN"}, "number"), ({"dose_value": "1e99"}, "number"),
    ({"quantity": "-5"}, "more than zero"), ({"dose_value": "٣٫٥x"}, "number"),
)


@pytest.mark.parametrize("change", UNPRINTABLE, ids=range(len(UNPRINTABLE)))
def test_what_cannot_be_printed_or_stored_is_refused_before_anything_is_written_and_the_draft_stays(
    practice: Practice, change: tuple[dict[str, str], str]
) -> None:
    consultation = started(practice, practice.patient())
    draft = replace(FULL, items=(TABLET, replace(TABLET, **change[0])))  # type: ignore[arg-type]
    storable = not any("\ud800" in value for value in change[0].values())
    version = 0
    if storable:
        with practice.write("dora") as session:
            version = drafts.save(session, consultation, draft, 0)
    with pytest.raises(ClinicError) as refused, practice.write("dora") as session:
        consultations.complete(session, consultation, draft, version)
    assert change[1] in refused.value.sentence and "\n" not in refused.value.sentence
    assert not any(written(practice).values())
    with practice.read("dora") as session:
        assert drafts.load(session, consultation).draft == (draft if storable else ConsultationDraft())


def test_markup_is_only_text_on_paper_and_in_the_chart(practice: Practice) -> None:
    words = "<b>not bold</b> & <img src=x> &amp; 100% {x}"
    patient = practice.patient(address=words)
    item = replace(TABLET, instructions="with food; 100% {x} %s")
    done = completed(practice, patient, replace(FULL, notes={"plan": words}, items=(item,)))
    with practice.read("dora") as session:
        stored = prescriptions.stored_pdf(session, done.prescription_id or 0)
        (visit,) = visits.read(session, visits.of_patient(session, patient))
    assert visit.notes == {"plan": words}
    text = text_of(stored.content)
    assert words in text and "with food; 100% {x} %s" in text


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)


NAMES = (
    ("Zoe\u0308", "Nguye\u0302\u0303n", "nguyen"), ("Ana\u200bMaria", "O\u2019Brien\u200d", "obrien"), ("Å" * 60, "B" * 60, "b" * 60),
    ("\u202eAna\u202c", "Adler\u2066", "adler"), ("Ана", "Петрова", "петрова"), ("Jean-Luc", "d'Été", "d'ete"),
)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_unusual_names_are_registered_found_shown_and_printed(practice: Practice, name: tuple[str, str, str]) -> None:
    first, last, typed = name
    patient = practice.patient(first_name=first, last_name=last)
    with practice.read("rita") as session:
        assert patient in {row.id for row in finding.search(session, typed)}, typed
        head = chart.banner(session, patient)
        for shown in (head.given_name, head.family_name):
            assert not any(unicodedata.category(c) in {"Cf", "Cc"} for c in shown), "nothing invisible turns a name around"
            assert unicodedata.is_normalized("NFC", shown) and len(shown) <= 60
    done = completed(practice, patient)
    with practice.read("dora") as session:
        text = text_of(prescriptions.stored_pdf(session, done.prescription_id or 0).content)
    assert head.family_name[:20].upper() in unicodedata.normalize("NFC", text).upper().replace(" ", "") or "’" in head.family_name


def test_a_name_of_61_characters_or_of_nothing_visible_is_refused_at_its_field(practice: Practice) -> None:
    for field in ("first_name", "last_name"):
        for text in ("x" * 61, "\u200b\u200d", " ", "\x00"):
            with pytest.raises(Invalid) as refused:
                practice.patient(**{field: text})
            assert refused.value.field == field, (field, text)
    assert as_owner(practice, "select count(*) from clinic.patients") == [(0,)]


def test_every_record_is_taken_at_its_limit_and_refused_one_over(practice: Practice) -> None:
    patient = practice.patient()
    started(practice, patient)

    def write(service: object, *arguments: object, **named: object) -> object:
        with practice.write("dora") as session:
            return service(session, patient, *arguments, **named)  # type: ignore[operator]

    for wide in ("x", "🙂"):
        write(records.add, "general", wide * 200, wide * 10_000)
        write(chart.add_problem, wide * 300)
        write(chart.add_allergy, wide * 200, reaction=wide * 300)
    with practice.read("dora") as session:
        row = next(r for r in records.of_patient(session, patient) if r.kind == "general")
    for size in (2_000, 2_001):
        with nullcontext() if size == 2_000 else pytest.raises(Invalid, match="2,000 characters"), practice.write("dora") as session:
            records.annotate(session, row, "🙂" * size)
    over = ((records.add, ("general", "x" * 201, ""), {}, "title"), (records.add, ("general", "t", "x" * 10_001), {}, "description"),
            (chart.add_problem, ("x" * 301,), {}, "description"), (chart.add_allergy, ("x" * 201,), {}, "substance"),
            (chart.add_allergy, ("x",), {"reaction": "x" * 301}, "reaction"), (records.add, ("general", "ti\x00tle", ""), {}, ""))
    for service, arguments, named, field in over:
        with pytest.raises(Invalid) as refused_one:
            write(service, *arguments, **named)
        assert refused_one.value.field == field


def test_notes_at_their_limit_are_signed_one_over_is_refused_but_never_keeps_the_draft_from_being_saved(practice: Practice) -> None:
    patient = practice.patient()
    consultation = started(practice, patient)
    full = ConsultationDraft(notes=dict.fromkeys(drafts.NOTE_KINDS, "é" * 50000))
    over = ConsultationDraft(notes={**full.notes, "plan": "é" * 50_001})
    with practice.write("dora") as session:
        version = drafts.save(session, consultation, over, 0)
    with pytest.raises(Invalid) as refused, practice.write("dora") as session:
        consultations.complete(session, consultation, over, version)
    assert refused.value.field == "plan"
    with pytest.raises(Invalid) as refused, practice.write("dora") as session:
        drafts.save(session, consultation, ConsultationDraft(notes={"plan": "x" * 1_000_001, "general": "y"}), version)
    assert refused.value.field == "plan"
    with practice.write("dora") as session:
        consultations.complete(session, consultation, full, version)
    with practice.read("dora") as session:
        (visit,) = visits.read(session, visits.of_patient(session, patient))
    assert visit.notes == full.notes
    with pytest.raises(VisitSigned), practice.write("dora") as session:
        drafts.save(session, consultation, full, version)


def test_a_chart_costs_the_same_queries_whatever_the_history(practice: Practice) -> None:
    note = ConsultationDraft(notes={"plan": "x"}, vitals={"pulse": "70"})
    few, many = practice.patient(), practice.patient()
    for number in range(45):
        completed(practice, many, note, hour=8 + number % 9, minute=0, day=1 + number // 9)
        if number < 3:
            completed(practice, few, note, hour=8 + number, minute=30, day=1)
    spent = []
    for patient in (few, many):
        with practice.read("dora") as session, counted(session) as found:
            chart.chart(session, patient)
            visits.read(session, visits.of_patient(session, patient, 20))
            prescriptions.of_patient(session, patient)
            records.of_patient(session, patient)
        spent.append(len(found))
    assert spent[0] == spent[1]


def test_a_full_name_in_any_order_is_found(practice: Practice) -> None:
    patient = practice.patient(first_name="Anna Maria", last_name="van der Berg")
    for typed in ("Anna Maria van der Berg", "van der Berg, Anna Maria", "berg anna", "ANNA  BERG", "maria berg van"):
        with practice.read("rita") as session:
            assert patient in {row.id for row in finding.search(session, typed)}, typed


def test_editing_a_patient_with_a_hostile_story_keeps_it_letter_by_letter(practice: Practice) -> None:
    story = "'; drop table clinic.patients; -- <b>%s {x} 🙂"
    patient = practice.patient(added_note=story)
    with practice.read("rita") as session:
        assert patients.sealed_texts(session, patient, ("added_note",)) == {"added_note": story}


def synthea(folder: Path, data: Path) -> tuple[int, str, str]:
    run = subprocess.run(
        [sys.executable, "-m", "clinicdesk", "--data-dir", str(data), "import", "synthea", str(folder), "--json"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=180, check=False,
        env={**os.environ, "CLINICDESK_SECRETS": "file"},
    )
    return run.returncode, run.stdout, run.stderr


HEADER = "Id,BIRTHDATE,DEATHDATE,SSN,PREFIX,FIRST,LAST,GENDER,ADDRESS,CITY\n"
UNUSABLE = {
    "empty": b"", "junk": bytes(range(256)) * 1_000, "one long line": b"x" * 50_000_000, "another table": b"a,b,c\n1,2,3\n",
    "a long row": HEADER.encode() + b"x" * 50_000_000,
    "wrong types": HEADER.encode() + b"1,yesterday,12,no,Dr,A,<script>,Q,x,y\n" + b",,,,,,,,,\n" + b'"',
}


def test_files_that_are_no_patients_end_the_command_with_a_sentence_and_write_nothing(tmp_path: Path, clinic_folder: Path) -> None:
    for name, content in UNUSABLE.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "patients.csv").write_bytes(content)
        code, out, error = synthea(folder, clinic_folder)
        assert code in {1, 2} and "Traceback" not in out + error, name
        said = out + error
        assert "patients.csv" in said or json.loads(out)["refused"], name
        assert len(said) < 3_000, "a sentence, not the file"
    good = tmp_path / "good"
    good.mkdir()
    (good / "patients.csv").write_text(
        HEADER + "6e7ac32c-9d9d-4c9c-8f0b-3a1f1f2b1c11,1980-05-03,,,,Ana,Adler,F,Road 1,Town\n", encoding="utf-8"
    )
    code, out, error = synthea(good, clinic_folder)
    assert code == 0, error
    patients = json.loads(out)["patients"]
    assert (patients["read"], patients["added"], patients["known"]) == (1, 1, 0), "nobody was half-written before"
