"""Reading Synthea: whole patients out of both layouts, a reason for every line not taken, nothing stopped by a bad line."""

import gzip
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from clinicdesk.errors import ClinicError
from clinicdesk.interchange import delimited, synthea
from clinicdesk.interchange.synthea import ImportedPatient, Refusal, count_patients, read_synthea
from clinicdesk.interchange.synthea_lines import dosage_words, plain_name
from clinicdesk.rules.vitals import VITALS, check_vital

TODAY = date(2026, 11, 21)
SHARED = Path(__file__).parents[2].parent / "shared" / "data"

NATIVE = {
    "patients.csv": """Id,BIRTHDATE,DEATHDATE,SSN,PREFIX,FIRST,LAST,GENDER,ADDRESS,CITY,STATE,ZIP
ann,1980-11-05,,999-12-3456,Mrs.,Ann46 María12,O'Neil958,F,1 Quay Street,Bristol,Avon,02139
bob,1950-01-01,1999-12-31,999-12-3457,Mr.,Bob1,Stone2,M,2 Quay Street,Bristol,Avon,
""",
    "encounters.csv": """Id,START,STOP,PATIENT,PROVIDER,ENCOUNTERCLASS,CODE,DESCRIPTION,REASONCODE,REASONDESCRIPTION
e1,2020-02-01T09:00:00Z,2020-02-01T09:15:00Z,ann,dr,wellness,1,Check up,,
e2,1999-12-31T23:00:00Z,,bob,,emergency,2,Emergency,3,Stroke
e3,2000-01-07T09:00:00Z,,bob,,ambulatory,4,Death Certification,,
""",
    "allergies.csv": """START,STOP,PATIENT,ENCOUNTER,CODE,SYSTEM,DESCRIPTION,TYPE,CATEGORY,\
REACTION1,DESCRIPTION1,SEVERITY1,REACTION2,DESCRIPTION2,SEVERITY2
1990-01-01,,ann,e1,111,SNOMED-CT,Latex (substance),allergy,environment,1,Itching (finding),MODERATE,2,Rash,MILD
1991-01-01,,ann,gone,112,SNOMED-CT,Allergy to eggs,allergy,food,,,,,,
""",
    "conditions.csv": """START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION
2020-02-01,2020-03-01,ann,e1,38341003,Hypertension
""",
    "medications.csv": """START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,REASONCODE,REASONDESCRIPTION
2020-02-01T09:00:00Z,,ann,e1,308136,amLODIPine 2.5 MG Oral Tablet,38341003,Hypertension
1999-01-01T09:00:00Z,,bob,e2,308136,amLODIPine 2.5 MG Oral Tablet,,
""",
    "observations.csv": """DATE,PATIENT,ENCOUNTER,CATEGORY,CODE,DESCRIPTION,VALUE,UNITS,TYPE
2020-02-01T09:00:00Z,ann,e1,vital-signs,8302-2,Body Height,163.2498,cm,numeric
2020-02-01T09:00:00Z,ann,e1,vital-signs,29463-7,Body Weight,71.2351,kg,numeric
2020-02-01T09:00:00Z,ann,e1,vital-signs,8480-6,Systolic Blood Pressure,120.6,,numeric
2020-02-01T09:00:00Z,ann,e1,vital-signs,8462-4,Diastolic Blood Pressure,79.5,mm[Hg],numeric
2020-02-01T09:00:00Z,ann,e1,vital-signs,39156-5,Body Mass Index,26.7,kg/m2,numeric
2020-02-01T09:00:00Z,ann,e1,laboratory,2339-0,Glucose,99,mg/dL,numeric
2020-02-01T09:00:00Z,ann,e1,survey,72166-2,Tobacco,Never,,text
""",
    "providers.csv": "Id,ORGANIZATION,NAME\ndr,org,Hugo693 Ávila241\n",
}


def folder(tmp_path: Path, **changes: str) -> Path:
    tmp_path.mkdir(exist_ok=True)
    for name, text in {**NATIVE, **{f"{k}.csv": v for k, v in changes.items()}}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def read(path: Path) -> tuple[dict[str, ImportedPatient], list[Refusal]]:
    found = list(read_synthea(path, TODAY))
    return {p.source_id: p for p in found if isinstance(p, ImportedPatient)}, [r for r in found if isinstance(r, Refusal)]


def plus(table: str, *lines: str) -> str:
    return NATIVE[f"{table}.csv"] + "".join(line + "\n" for line in lines)


def test_whole_patient(tmp_path: Path) -> None:
    patients, _ = read(folder(tmp_path))
    ann = patients["ann"]
    assert (ann.first_name, ann.last_name, ann.title, ann.sex, ann.born, ann.died) == ("Ann María", "O'Neil", "Mrs", "F",
                                                                                       date(1980, 11, 5), None)
    assert (ann.ssn, ann.phone, ann.address) == ("999-12-3456", "", "1 Quay Street, Bristol, Avon 02139")
    assert [(a.substance, a.reactions, a.encounter_id) for a in ann.allergies] == [
        ("Latex", (("Itching", "moderate"), ("Rash", "mild")), "e1"), ("eggs", (), "")]
    assert [(c.description, c.ended_on) for c in ann.conditions] == [("Hypertension", date(2020, 3, 1))]
    assert [(m.active, m.dosage, m.reason) for m in ann.medications] == [(True, "", "Hypertension")]
    assert [(e.kind, e.provider, e.started_at) for e in ann.encounters] == [("wellness", "Hugo Ávila", datetime(2020, 2, 1, 9, tzinfo=UTC))]
    (vitals,) = ann.vitals
    assert (vitals.encounter_id, dict(vitals.values)) == ("e1",
                                                          {"height": Decimal("163.2"), "weight": Decimal("71.24"),
                                                           "systolic": Decimal(121),
                                                                 "diastolic": Decimal(80), "glucose": Decimal("5.5")})


def test_deceased(tmp_path: Path) -> None:
    patients, refusals = read(folder(tmp_path))
    bob = patients["bob"]
    assert bob.died == date(1999, 12, 31)
    assert [e.source_id for e in bob.encounters] == ["e2"]
    assert not bob.medications[0].active
    assert refusals == [Refusal("encounters.csv", 4, "It is dated 07-Jan-2000, after the death, 31-Dec-1999.")]


def test_converted_layout_with_telephone_and_dosage(tmp_path: Path) -> None:
    path = folder(tmp_path, patients="Id,BIRTHDATE,DEATHDATE,SSN,FIRST,LAST,GENDER,PHONE\nann,1980-11-05,,,Ann,Neil,F,555-305-8795\n",
                  medications="START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,STATUS,DOSAGE\n"
                              "2020-02-01T09:00:00Z,,ann,e1,1,Aspirin,stopped,1 1x per 6 h\n", encounters=NATIVE["encounters.csv"])
    ann = read(path)[0]["ann"]
    assert (ann.phone, ann.ssn, ann.address) == ("5553058795", "", "")
    assert [(m.active, m.directions) for m in ann.medications] == [(False, "Take 1 dose every 6 hours.")]


@pytest.mark.parametrize(("table", "line", "says"), [
    ("patients", "cyd,1980-13-05,,999-12-3458,,Cyd,Hall,F,,,,", "not a date"),
    ("patients", "cyd,2027-01-01,,999-12-3458,,Cyd,Hall,F,,,,", "in the future"),
    ("patients", "cyd,1980-01-01,1970-01-01,999-12-3458,,Cyd,Hall,F,,,,", "before the birth"),
    ("patients", "cyd,1980-01-01,,999-12-345,,Cyd,Hall,F,,,,", "9 digits"),
    ("patients", "cyd,1980-01-01,,999-12-3458,,123,Hall,F,,,,", "at least one letter"),
    ("patients", "cyd,1980-01-01,,999-12-3458,,Cyd,,F,,,,", "last name is needed"),
    ("patients", "cyd,1980-01-01,,999-12-3458,,Cyd,Hall,X,,,,", "Choose the sex"),
    ("patients", f"cyd,1980-01-01,,999-12-3458,,Cyd,Hall,F,{'x' * 301},,,", "more than 300"),
    ("patients", "ann,1980-01-01,,999-12-3458,,Cyd,Hall,F,,,,", "line 2 has the same Id"),
    ("patients", ",1980-01-01,,999-12-3458,,Cyd,Hall,F,,,,", "Id is missing"),
    ("patients", "cyd,1980-01-01,,999-12-3458", "4 values, the first line names 12"),
    ("encounters", "e1,2020-02-02T09:00:00Z,,ann,,wellness,1,Check up,,", "Line 2 says the same"),
    ("encounters", "e9,1979-02-02T09:00:00Z,,ann,,wellness,1,Check up,,", "before the birth"),
    ("encounters", "e9,2027-02-02T09:00:00Z,,ann,,wellness,1,Check up,,", "after today"),
    ("encounters", "e9,yesterday,,ann,,wellness,1,Check up,,", "not a time"),
    ("encounters", "e9,2020-02-02T09:00:00Z,2020-02-01T09:00:00Z,ann,,wellness,1,Check up,,", "ends before"),
    ("encounters", "e9,2020-02-02T09:00:00Z,,zed,,wellness,1,Check up,,", "not in patients.csv"),
    ("allergies", "1990-01-01,,ann,e1,111,SNOMED-CT,Latex (substance),allergy,environment,,,,,,", "Line 2 says the same"),
    ("allergies", "1990-01-01,,ann,e1,115,SNOMED-CT,,allergy,environment,,,,,,", "description is missing"),
    ("conditions", "2020-02-01,2019-02-01,ann,e1,1,Fever", "ends before"),
    ("medications", "2020-02-01T09:00:00Z,,ann,e1,308136,again,,", "Line 2 says the same"),
    ("observations", "2020-02-01T09:00:00Z,ann,e1,vital-signs,8867-4,Heart rate,fast,/min,numeric", "“fast” is not a number"),
    ("observations", "2020-02-01T09:00:00Z,ann,e1,vital-signs,8867-4,Heart rate,NaN,/min,numeric", "not a number"),
    ("observations", "2020-02-01T09:00:00Z,ann,e1,vital-signs,8867-4,Heart rate,1e99,/min,numeric", "not possible"),
    ("observations", "2020-02-01T09:00:00Z,ann,e1,vital-signs,8867-4,Heart rate,301,/min,numeric", "301 /min is not possible"),
    ("observations", "2020-02-01T09:00:00Z,ann,e1,vital-signs,8867-4,Heart rate,70,Hz,numeric", "is in “Hz”, expected /min"),
    ("observations", "2020-02-01T09:00:00Z,ann,e1,vital-signs,8302-2,Body Height,170,cm,numeric", "Line 2 gives the same"),
    ("observations", "2020-02-01T09:00:00Z,ann,e1,vital-signs,9843-4,Head Circumference,400,cm,numeric", "400.0 cm is not possible"),
    ("observations", "2020-03-01T09:00:00Z,ann,e1,vital-signs,8462-4,Diastolic Blood Pressure,80,,numeric", "needs both values"),
    ("conditions", f"2020-02-01,,ann,e1,1,{'x' * 301}", "301 characters; 300 are allowed"),
    ("medications", f"2020-02-01T09:00:00Z,,ann,e1,308137,Aspirin,1,{'x' * 301}", "more than 300"),
])
def test_one_bad_line_is_refused_alone(tmp_path: Path, table: str, line: str, says: str) -> None:
    sound, before = read(folder(tmp_path / "a"))
    patients, refusals = read(folder(tmp_path / "b", **{table: plus(table, line)}))
    assert patients == sound
    (refusal,) = [r for r in refusals if r not in before]
    assert refusal.file == f"{table}.csv"
    assert refusal.line == NATIVE[f"{table}.csv"].count("\n") + 1
    assert says in refusal.reason
    assert refusal.reason.endswith(".")


def test_pressure_the_wrong_way_round_loses_both_values(tmp_path: Path) -> None:
    patients, refusals = read(folder(tmp_path, observations=NATIVE["observations.csv"].replace("120.6", "70")))
    assert not {"systolic", "diastolic"} & patients["ann"].vitals[0].values.keys()
    assert [r.line for r in refusals if r.file == "observations.csv"] == [4, 5]


def test_other_units_are_converted(tmp_path: Path) -> None:
    lines = ["8310-5,Body temperature,98.6,[degF]", "2708-6,Oxygen saturation,97,%"]
    observations = "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,VALUE,UNITS\n" + "".join(
        f"2020-02-01T09:00:00Z,ann,e1,{line}\n" for line in lines)
    values = read(folder(tmp_path, observations=observations))[0]["ann"].vitals[0].values
    assert dict(values) == {"temperature": Decimal("37.0"), "spo2": Decimal(97)}


def test_lines_of_a_refused_patient_are_all_reported(tmp_path: Path) -> None:
    patients, refusals = read(folder(tmp_path, patients=NATIVE["patients.csv"].replace("1980-11-05", "never")))
    assert set(patients) == {"bob"}
    assert sum(r.reason == "Its patient was refused." for r in refusals) == 1 + 2 + 1 + 1 + 5


def test_missing_tables_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "Patients.CSV").write_text(NATIVE["patients.csv"])
    patients, refusals = read(tmp_path)
    assert len(patients) == 2
    assert refusals == []
    assert count_patients(tmp_path) == 2


def test_gzip_and_byte_order_mark(tmp_path: Path) -> None:
    for name, text in NATIVE.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()))
    assert read(tmp_path)[0] == read(folder(tmp_path / "plain"))[0]


@pytest.mark.parametrize(("content", "says"), [
    (b"", "empty"), (b"\n\n", "empty"), (b"name;born\nann;1980\n", "Columns are missing: "), (b"\x00\xff\xfe" * 999,
                                                                                                           "Columns are missing"),
    (b"x" * 1_200_000, "more than 1,000,000 characters"),
])
def test_unusable_files_give_one_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    path = folder(tmp_path)
    (path / "conditions.csv").write_bytes(content)
    patients, refusals = read(path)
    assert len(patients) == 2
    (refusal,) = [r for r in refusals if r.file == "conditions.csv"]
    assert says in refusal.reason
    (path / "patients.csv").write_bytes(content)
    with pytest.raises(ClinicError, match=r"patients\.csv cannot be imported"):
        list(read_synthea(path, TODAY))


def test_not_a_synthea_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ClinicError, match=r"no patients\.csv"):
            list(read_synthea(path, TODAY))


def test_damaged_gzip_keeps_what_was_read(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "conditions.csv").unlink()
    source = random.Random(1)
    many = NATIVE["conditions.csv"] + "".join(f"2020-02-01,,ann,e1,{source.random()},Fever {source.random()}\n" for _ in range(5_000))
    (path / "conditions.csv.gz").write_bytes(gzip.compress(many.encode())[:-4000])
    patients, refusals = read(path)
    assert 1 < len(patients["ann"].conditions) < 5_001
    assert [r.reason for r in refusals if r.file == "conditions.csv.gz"] == ["The file is damaged; what stands before the damage was read."]


def test_oversized_fields_and_foreign_bytes_are_refused_by_line(tmp_path: Path) -> None:
    path = folder(tmp_path)
    with (path / "conditions.csv").open("ab") as file:
        file.write(b"2020-02-01,,ann,e1,1," + b"x" * 200_000 + b"\n2020-02-01,,ann,e1,2,caf\xe9\n2020-02-01,,ann,e1,3,Cough\n")
    patients, refusals = read(path)
    assert [c.description for c in patients["ann"].conditions] == ["Hypertension", "Cough"]
    reasons = [(r.line, r.reason) for r in refusals if r.file == "conditions.csv"]
    assert [line for line, _ in reasons] == [3, 4]
    assert "field larger" in reasons[0][1]
    assert "UTF-8" in reasons[1][1]


def test_large_folders_are_dealt_into_parts_with_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder(tmp_path, conditions=plus("conditions", "2020-02-01,,zed,e1,1,Fever", '2020-02-01,,ann,e1,9,"two\nlines, and a comma"'))
    whole, refusals = read(path)
    monkeypatch.setattr(synthea, "PART_BYTES", 200)
    dealt, dealt_refusals = read(path)
    assert dealt == whole
    assert sorted(dealt_refusals, key=repr) == sorted(refusals, key=repr)


def test_names() -> None:
    assert [plain_name(n) for n in ("Ann46", "María12 del3 Carmen", "O'Neil958", "DuBuque211", "7")] == [
        "Ann", "María del Carmen", "O'Neil", "DuBuque", "7"]


def test_dosage_words() -> None:
    assert dosage_words("2 2x per 1 d Take at regular intervals.") == "Take 2 doses twice a day. Take at regular intervals."
    assert dosage_words("1 1x per 60 d") == "Take 1 dose every 60 days."
    assert dosage_words("as needed") == "As needed."
    assert dosage_words("") == ""


@pytest.mark.parametrize(("name", "patients", "vitals"), [("csv", 150, 1550), ("csv-native/ohdsi-dbt-synthea-27", 27, 31),
                                                          ("csv-native/ablack3-synthea-107", 107, 6)])
def test_shared_files(name: str, patients: int, vitals: int) -> None:
    path = SHARED / name
    if not path.is_dir():
        pytest.skip("the shared Synthea files are not beside this checkout")
    found, refusals = read(path)
    assert len(found) == patients
    assert sum(len(p.vitals) for p in found.values()) == vitals
    assert all(any(words in r.reason for words in (" dated ", "says the same")) for r in refusals)
    read_lines = {"encounters.csv": "encounters", "conditions.csv": "conditions", "medications.csv": "medications",
                  "allergies.csv": "allergies", "immunizations.csv": "immunizations"}
    for table, field in read_lines.items():
        file = delimited.find(path, table)
        if table == "immunizations.csv" and file is None:
            continue  # not every export has them
        assert file is not None
        lines = sum(isinstance(row, delimited.TableRow) for row in delimited.read_table(file, ()))
        kept = sum(len(getattr(p, field)) for p in found.values())
        assert kept + sum(r.file == file.name for r in refusals) == lines
    for patient in found.values():
        assert not any(c.isdigit() for c in patient.first_name + patient.last_name)
        for measured in patient.vitals:
            for kind, value in measured.values.items():
                assert value == value.quantize(VITALS[kind].step)
                assert check_vital(kind, value, None).level != "hard"
