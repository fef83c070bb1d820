"""The import stores each patient whole or not at all, never twice, and says of every line what became of it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from clinicdesk import clinic as clinics
from clinicdesk.cli import app
from clinicdesk.errors import Unavailable
from clinicdesk.interchange.synthea import read_synthea
from clinicdesk.services import appointments, chart, consultations, finding, importing, measuring, patients, records, visits
from clinicdesk.storage.database import ClinicSession
from tests.clinics import Practice
from tests.visiting import FULL, as_owner

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "csv"
if not SHARED.exists():
    SHARED = Path(__file__).parents[2].resolve().parent / "shared" / "data" / "csv"

FILES = {
    "patients.csv": """Id,BIRTHDATE,DEATHDATE,SSN,PREFIX,FIRST,LAST,GENDER,ADDRESS,CITY,STATE,ZIP,PHONE
ann,1980-11-05,,999-12-3456,Mrs.,Ann46 María12,O'Neil958,F,1 Quay Street,Bristol,Avon,02139,
bob,1950-01-01,1999-12-31,999-12-3457,Mr.,Bob1,Stone2,M,2 Quay Street,Bristol,Avon,,555-305-8795
bad,1980-13-05,,,,Bad,Date,F,,,,,
""",
    "encounters.csv": """Id,START,STOP,PATIENT,PROVIDER,ENCOUNTERCLASS,CODE,DESCRIPTION,REASONCODE,REASONDESCRIPTION
e1,2020-02-01T09:00:00Z,2020-02-01T09:15:00Z,ann,dr,wellness,1,Check up,,Hypertension
e2,1999-12-31T21:00:00Z,,bob,,emergency,2,Emergency,3,Stroke
e3,2000-01-07T09:00:00Z,,bob,,ambulatory,4,Death Certification,,
""",
    "allergies.csv": """START,STOP,PATIENT,ENCOUNTER,CODE,SYSTEM,DESCRIPTION,TYPE,CATEGORY,\
REACTION1,DESCRIPTION1,SEVERITY1,REACTION2,DESCRIPTION2,SEVERITY2
1990-01-01,,ann,e1,111,SNOMED-CT,Latex (substance),intolerance,environment,1,Itching (finding),MILD,2,Rash,MODERATE
""",
    "conditions.csv": "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2020-02-01,2020-03-01,ann,e1,38341003,Hypertension\n",
    "medications.csv": """START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,REASONDESCRIPTION,STATUS,DOSAGE
2020-02-01T09:00:00Z,,ann,e1,308136,amLODIPine 2.5 MG Oral Tablet,Hypertension,active,1 1x per 1 d
2020-02-01T09:00:00Z,,ann,e1,308137,Aspirin 81 MG,,stopped,
1999-01-01T09:00:00Z,,bob,e2,308136,amLODIPine 2.5 MG Oral Tablet,,,
""",
    "immunizations.csv": """DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST
2020-02-01T09:00:00Z,ann,e1,140,"Influenza, seasonal, injectable, preservative free",140.52
2020-02-01T09:00:00Z,ann,e1,140,"Influenza, seasonal, injectable, preservative free",140.52
1950-06-01,bob,,10,IPV,
""",
    "observations.csv": """DATE,PATIENT,ENCOUNTER,CATEGORY,CODE,DESCRIPTION,VALUE,UNITS,TYPE
2020-02-01T09:00:00Z,ann,e1,vital-signs,8302-2,Body Height,163.2498,cm,numeric
2020-02-01T09:00:00Z,ann,e1,vital-signs,29463-7,Body Weight,71.2351,kg,numeric
2020-02-01T09:00:00Z,ann,e1,vital-signs,8480-6,Systolic Blood Pressure,120.6,,numeric
2020-02-01T09:00:00Z,ann,e1,vital-signs,8462-4,Diastolic Blood Pressure,79.5,,numeric
2020-02-01T09:00:00Z,ann,e1,vital-signs,8867-4,Heart rate,500,/min,numeric
2020-02-01T09:00:00Z,ann,e1,vital-signs,9843-4,Head Circumference,400,cm,numeric
2021-02-01T09:00:00Z,ann,e1,vital-signs,8480-6,Systolic Blood Pressure,120,,numeric
""",
    "providers.csv": "Id,ORGANIZATION,NAME\ndr,org,Hugo693 Ávila241\n",
}


def folder(path: Path, **changes: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, lines in {**FILES, **{f"{k}.csv": v for k, v in changes.items()}}.items():
        (path / name).write_text(lines, encoding="utf-8")
    return path


def bring(practice: Practice, path: Path, *, dry_run: bool = False, who: str | None = None) -> importing.ImportReport:
    def opened() -> AbstractContextManager[ClinicSession]:
        return practice.write(who) if who else practice.clinic.as_owner()

    with practice.clinic.database.read() as session:
        found = read_synthea(path, session.now().date())
    return importing.import_patients(opened, found, dry_run=dry_run)


def rows(practice: Practice) -> dict[str, int]:
    tables = ("patients", "import_keys", "patient_terms", "patient_keys", "sealed_fields", "allergies", "problems", "medicines", "vitals",
              "records", "immunizations")
    return {t: as_owner(practice, f"select count(*) from clinic.{t}")[0][0] for t in tables}


@pytest.mark.parametrize("who", [None, "ada"], ids=["owner", "administrator"])
def test_everything_is_stored_once(practice: Practice, tmp_path: Path, who: str | None) -> None:
    path = folder(tmp_path / "in")
    report = bring(practice, path, who=who)
    assert (report.patients.read, report.patients.added, report.patients.known, report.patients.refused) == (3, 2, 0, 1)
    added = {kind: tally.added for kind, tally in report.rows.items()}
    assert added == {"allergies": 1, "problems": 1, "medicines": 3, "vitals": 1, "encounters": 2, "immunizations": 2}
    stored = rows(practice)
    assert stored | {"patient_terms": 0} == {"patients": 2, "import_keys": 2, "patient_terms": 0, "patient_keys": 4, "sealed_fields": 2,
                                             "allergies": 1, "problems": 1, "medicines": 3, "vitals": 1, "records": 2,
                                             "immunizations": 2}
    assert {(r.file, r.line) for r in report.refused} == {
        ("patients.csv", 4), ("encounters.csv", 4), ("immunizations.csv", 3),
        ("observations.csv", 6), ("observations.csv", 7), ("observations.csv", 8)}

    again = bring(practice, path, who=who)
    assert rows(practice) == stored
    assert (again.patients.added, again.patients.known) == (0, 2)
    assert all(t.added == 0 and t.known == t.read for t in again.rows.values())


def test_a_dry_run_counts_the_same_and_writes_nothing(practice: Practice, tmp_path: Path) -> None:
    path = folder(tmp_path / "in")
    before = rows(practice)
    dry = bring(practice, path, dry_run=True)
    assert rows(practice) == before
    wet = bring(practice, path)
    assert (dry.patients, dry.rows, dry.refused) == (wet.patients, wet.rows, wet.refused)


def test_a_known_patient_gets_only_what_is_new(practice: Practice, tmp_path: Path) -> None:
    bring(practice, folder(tmp_path / "in"))
    more = FILES["conditions.csv"] + "2021-01-01,,ann,e1,195967001,Asthma\n"
    report = bring(practice, folder(tmp_path / "in", conditions=more))
    assert report.patients.added == 0
    assert {k: t.added for k, t in report.rows.items()} == {"allergies": 0, "problems": 1, "medicines": 0, "vitals": 0, "encounters": 0,
                                                             "immunizations": 0}


def test_a_patient_the_database_refuses_stops_nobody(practice: Practice, tmp_path: Path) -> None:
    practice.patient(phone="5553058795")  # bob's number is taken
    report = bring(practice, folder(tmp_path / "in"))
    assert (report.patients.added, report.patients.refused) == (1, 2)
    refusal = next(r for r in report.refused if (r.file, r.line) == ("patients.csv", 3))
    assert refusal.reason == "Another patient already has this phone number. Nor were her 3 rows taken."
    assert report.rows["medicines"].refused == 1
    for tally in (report.patients, *report.rows.values()):
        assert tally.read == tally.added + tally.known + tally.refused
    assert as_owner(practice, "select count(*) from clinic.medicines where code = '308136'") == [(1,)]


def test_a_lost_database_stops_the_import_with_its_reason(practice: Practice, tmp_path: Path) -> None:
    found = list(read_synthea(folder(tmp_path / "in"), practice.at(9).date()))

    def gone() -> AbstractContextManager[ClinicSession]:
        raise Unavailable("database", "away")

    with pytest.raises(Unavailable):
        importing.import_patients(gone, found)


def test_what_the_chart_shows_of_it(practice: Practice, tmp_path: Path) -> None:
    bring(practice, folder(tmp_path / "in"))
    with practice.read("rita") as session:
        (ann,) = finding.search(session, "oneil ann")
        assert patients.card(session, ann.id).ssn == "999-12-3456"
        (bob,) = finding.search(session, "stone")
        assert patients.card(session, bob.id).died is not None
    practice.book(ann.id, practice.at(9))
    with practice.read("dora") as session:
        seen = chart.chart(session, ann.id)
        assert [(a.substance, a.category, a.reaction, a.severity) for a in seen.allergies] == [
            ("Latex", "intolerance", "Itching, Rash", "moderate")]
        assert [(m.description, m.dosage) for m in seen.medicines] == [("amLODIPine 2.5 MG Oral Tablet", "Take 1 dose once a day.")]
        assert [str(v.values["weight"]) for v in seen.vitals] == ["71.240"]
        (row,) = [r for r in records.of_patient(session, ann.id) if r.kind == "encounter"]
        assert records.read(session, row).description.splitlines()[:4] == [
            "What: Check up", "Kind: wellness", "Provider: Hugo Ávila", "Reason: Hypertension"]


def test_an_imported_patient_goes_through_a_whole_visit(practice: Practice) -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared Synthea files are not beside this checkout")
    report = bring(practice, SHARED)
    assert report.patients.added == 150
    assert all(t.read == t.added for t in report.rows.values())
    again = bring(practice, SHARED)
    assert again.patients.added == 0
    assert not any(t.added for t in again.rows.values())
    with practice.clinic.as_owner() as session:
        patient_id = session.scalar(text("select patient_id from clinic.vitals join clinic.patients p on p.id = patient_id"
                                         " where died is null and born < '1990-01-01' group by 1 order by count(*) desc, 1 limit 1"))
    booked = practice.book(patient_id, practice.at(9))
    practice.step(booked, "arrived")
    with practice.write("dora") as session:
        consultation = consultations.start(session, booked, appointments.one(session, booked).version)
        before = len(measuring.history(session, patient_id))
    with practice.write("dora") as session:
        consultations.complete(session, consultation, replace(FULL, vitals={"pulse": "72"}), 0)
    with practice.read("dora") as session:
        assert len(measuring.history(session, patient_id)) == before + 1
        (visit,) = visits.read(session, visits.of_patient(session, patient_id))
        assert visit.notes["plan"] == "Rest and fluids."


def test_the_command_says_one_object_and_leaves_by_its_code(tmp_path: Path, practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clinics, "open_clinic", lambda *_, **__: practice.clinic)
    monkeypatch.setattr(practice.clinic, "close", lambda: None)
    path, data = folder(tmp_path / "in"), tmp_path / "data"

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["--data-dir", str(data), "import", "synthea", *arguments])
        return result.exit_code, result.stdout

    code, said = run(str(path), "--dry-run", "--json")
    outcome = json.loads(said)
    assert (code, outcome["ok"], outcome["dry_run"], outcome["patients"]["added"]) == (0, True, True, 2)
    assert outcome["refused"][0].keys() == {"file", "line", "reason"}
    assert rows(practice)["patients"] == 0
    code, said = run(str(path), "--report", str(tmp_path / "r.json"))
    assert code == 0
    assert "patients" in said
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["patients"]["added"] == 2
    assert "Nothing is new" in run(str(path))[1]
    (tmp_path / "empty").mkdir()
    code, said = run(str(tmp_path / "empty"), "--json")
    assert (code, json.loads(said)["ok"]) == (1, False)
    assert run(str(tmp_path / "absent"))[0] == 2


def test_the_command_asks_for_an_administrator_where_the_database_is_shared(
    tmp_path: Path, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clinics, "open_clinic", lambda *_, **__: practice.clinic)
    monkeypatch.setattr(practice.clinic, "close", lambda: None)
    monkeypatch.setattr(clinics.Clinic, "may_own", property(lambda _self: False))
    arguments = ["--data-dir", str(tmp_path / "data"), "import", "synthea", str(folder(tmp_path / "in")), "--json", "--user"]
    refused = CliRunner().invoke(app, [*arguments, "rita"], input="a quiet morning 7\n", standalone_mode=False)
    assert "Only an administrator" in str(refused.exception)
    assert rows(practice)["patients"] == 0
    done = CliRunner().invoke(app, [*arguments, "ada"], input="a quiet morning 7\n")
    assert done.exit_code == 0
    assert as_owner(practice, "select distinct u.username from clinic.patients p join auth.users u on u.id = p.created_by") == [("ada",)]
