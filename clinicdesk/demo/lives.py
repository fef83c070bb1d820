"""Three people of the demo with years behind them: long-term treatment that changed, an addendum, and a child who grew.

Their visits are written through the consultation's own service like the others, counted back from today. All of it is invented: the
measurements are plausible, no advice, and come from no real person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from clinicdesk.clinic import Clinic
from clinicdesk.demo.days import CONFIRMED, Progress, visit
from clinicdesk.models.clinical import Medicine
from clinicdesk.services import accounts, addenda, chart, doctors, medication, patients
from clinicdesk.services.drafts import ConsultationDraft, DiagnosisDraft, ItemDraft
from clinicdesk.services.people import Me, PatientForm
from clinicdesk.storage.database import ClinicSession

PRESSURE = DiagnosisDraft("I10", "Essential (primary) hypertension", problem=True)
DIABETES = DiagnosisDraft("E11.9", "Type 2 diabetes mellitus without complications", problem=True)
LIPIDS = DiagnosisDraft("E78.5", "Hyperlipidemia, unspecified", problem=True)
COUGH = DiagnosisDraft("R05.8", "Other specified cough")
CYSTITIS = DiagnosisDraft("N30.00", "Acute cystitis without hematuria")
KNEE = DiagnosisDraft("M17.11", "Unilateral primary osteoarthritis, right knee", problem=True)
LUNGS = DiagnosisDraft("J44.9", "Chronic obstructive pulmonary disease, unspecified", problem=True)
RHYTHM = DiagnosisDraft("I48.91", "Unspecified atrial fibrillation", problem=True)
EXACERBATION = DiagnosisDraft("J44.1", "Chronic obstructive pulmonary disease with (acute) exacerbation")
WELL = DiagnosisDraft("Z00.129", "Encounter for routine child health examination without abnormal findings")
EAR = DiagnosisDraft("H66.91", "Otitis media, unspecified, right ear")


def _line(medicine: str, strength: str, times: int, why: str) -> ItemDraft:
    return ItemDraft(medicine=medicine, strength=strength, form="tablet", route="oral", dose_value="1", dose_unit="tablet",
                     times_per_day=str(times), duration_days="28", indication=why, long_term=True, free_text=False)


AMLODIPINE = _line("amlodipine", "5 mg", 1, "blood pressure")
LOSARTAN = _line("losartan", "50 mg", 1, "blood pressure")
METFORMIN = _line("metformin", "500 mg", 2, "diabetes")
ATORVASTATIN = _line("atorvastatin", "20 mg", 1, "cholesterol")
APIXABAN = _line("apixaban", "5 mg", 2, "atrial fibrillation")
BISOPROLOL = _line("bisoprolol", "2.5 mg", 1, "heart rate")


@dataclass(frozen=True, slots=True)
class Then:
    """One visit so many days ago: what was said, measured, found, prescribed (all of it long-term), and an addendum.

    `listed` are medicines put on the list without a paper, which costs a quarter of a second: description, dosage, reason, and for how
    many days (0: long-term). `stops` are stopped ones: name, code, words.
    """

    ago: int
    why: str
    notes: tuple[str, str, str, str]
    vitals: dict[str, str]
    diagnoses: tuple[DiagnosisDraft, ...] = ()
    items: tuple[ItemDraft, ...] = ()
    listed: tuple[tuple[str, str, str, int], ...] = ()
    stops: tuple[tuple[str, str, str], ...] = ()
    addendum: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """A person with allergies (substance, reaction, severity) and visits, oldest first. `born_ago` is in days, for a child."""

    first: str
    last: str
    sex: str
    phone: str
    visits: Sequence[Then]
    born: str = ""
    born_ago: int = 0
    allergies: tuple[tuple[str, str, str], ...] = ()
    egfr: str = ""
    none_known: bool = False


def _adult(systolic: int, diastolic: int, pulse: int, weight: str, height: str, spo2: int = 98, respiration: int = 14) -> dict[str, str]:
    return {"systolic": str(systolic), "diastolic": str(diastolic), "pulse": str(pulse), "temperature": "36.7",
            "respiration": str(respiration), "spo2": str(spo2), "weight": weight, "height": height}


def _child(weight: str, height: str, head: str) -> dict[str, str]:
    return {"weight": weight, "height": height, "head_circumference": head, "temperature": "36.8"}


def _check(found: str, plan: str) -> tuple[str, str, str, str]:
    return ("Feels well, takes the tablets every day.", found, "Under control." if "target" in found else "Not yet at target.", plan)


MARGARET = Life("Margaret", "Ellery", "F", "+44 7700 700101", born="1961-04-18",
                allergies=(("penicillin", "hives and swelling of the face", "severe"),), egfr="74", visits=(
    Then(1890, "Headache in the morning", ("Headaches in the morning for a month. No chest pain.", "Heart and lungs normal. No swelling.",
         "Raised blood pressure, confirmed at home.", "Amlodipine. Home readings twice a day for a week."),
         _adult(168, 102, 84, "86.4", "166"), (PRESSURE,), (AMLODIPINE,)),
    Then(1820, "Blood pressure check", _check("Home readings around 155 over 95.", "Lisinopril besides. Kidney values in two weeks."),
         _adult(156, 96, 82, "86.1", "166"), (PRESSURE,),
         listed=(("lisinopril 10 mg tablet", "Take 1 tablet by mouth once a day.", "blood pressure", 0),)),
    Then(1700, "Cough for six weeks", ("Dry tickling cough, worse at night, no fever.", "Chest clear. Throat normal.",
         "Cough of the lisinopril.", "Stop lisinopril, losartan instead."), _adult(146, 90, 80, "85.7", "166"), (COUGH, PRESSURE),
         (LOSARTAN,), stops=(("lisinopril", "side_effect", "Dry cough, gone two weeks after the last tablet."),)),
    Then(1580, "Blood pressure check", _check("Readings at target.", "Go on. Yearly blood test."), _adult(134, 84, 76, "86.8", "166"),
         (PRESSURE,)),
    Then(1400, "Blood results", ("Tired, drinks more than before.", "HbA1c raised twice. Feet and pulses normal.",
         "Type 2 diabetes, new.", "Metformin, dietician, eye check."), _adult(138, 86, 78, "88.9", "166"), (DIABETES,), (METFORMIN,),
         addendum="Result of the eye check: no retinopathy. Next one in two years."),
    Then(1270, "Diabetes review", _check("Fasting values at target.", "Go on, walk every day."), _adult(136, 84, 74, "86.0", "166"),
         (DIABETES, PRESSURE)),
    Then(1090, "Blood results", ("No complaint.", "LDL cholesterol high.", "Raised cholesterol with diabetes.", "Atorvastatin."),
         _adult(134, 82, 74, "84.2", "166"), (LIPIDS,), (ATORVASTATIN,)),
    Then(900, "Burning when passing water", ("Burning and urgency for two days, no fever.", "Flanks not tender.",
         "Acute cystitis.", "Nitrofurantoin for five days. Penicillin allergy asked about and confirmed."),
         _adult(132, 82, 80, "82.5", "166"), (CYSTITIS,),
         listed=(("nitrofurantoin 50 mg capsule", "Take 1 capsule by mouth four times a day.", "bladder infection", 5),)),
    Then(720, "Diabetes review", _check("Home readings at target.", "Go on."), _adult(130, 80, 72, "80.6", "166"), (DIABETES, PRESSURE)),
    Then(540, "Knee pain", ("Right knee hurts on stairs.", "Small effusion, full movement.", "Osteoarthritis of the right knee.",
         "Exercises, paracetamol for two weeks."), _adult(134, 80, 74, "79.4", "166"), (KNEE,),
         listed=(("paracetamol 500 mg tablet", "Take 2 tablets by mouth three times a day.", "knee pain", 14),)),
    Then(360, "Yearly review", _check("All readings at target.", "Go on. Come back in six months."), _adult(128, 78, 70, "78.0", "166"),
         (DIABETES, PRESSURE, LIPIDS)),
    Then(170, "Diabetes review", _check("Home readings at target.", "Go on."), _adult(130, 80, 72, "77.1", "166"), (DIABETES,)),
    Then(80, "Repeat prescription", _check("Home readings at target.", "Go on."), _adult(128, 78, 72, "76.8", "166"), (PRESSURE,)),
))

GORDON = Life("Gordon", "Halloran", "M", "+44 7700 700102", born="1948-09-30", egfr="52", none_known=True, visits=(
    Then(1500, "Shortness of breath", ("Out of breath on the second floor. Smoked until last year.", "Long expiration, no wheeze now.",
         "Chronic obstructive lung disease.", "Inhaler shown, vaccination, pulmonary rehabilitation."),
         _adult(142, 84, 84, "81.0", "178", 94, 18), (LUNGS,)),
    Then(1180, "Palpitations", ("Heart stumbles since a week.", "Irregular pulse. Atrial fibrillation on the tracing.",
         "Atrial fibrillation.", "Apixaban, bisoprolol, cardiology in two weeks."), _adult(138, 82, 118, "80.2", "178", 94, 18),
         (RHYTHM,), (APIXABAN, BISOPROLOL), addendum="Letter from cardiology: rate control, go on with both."),
    Then(820, "Cough and sputum", ("More cough and sputum for four days.", "Scattered wheeze.", "Flare of the lung disease.",
         "Prednisolone for five days. Come back if worse."), _adult(136, 80, 92, "78.8", "178", 91, 22), (EXACERBATION,),
         listed=(("prednisolone 5 mg tablet", "Take 6 tablets by mouth once a day.", "flare of the lung disease", 5),)),
    Then(430, "Check-up", ("Walks half an hour a day.", "Pulse irregular, slow. Chest clear.", "Stable.", "Go on."),
         _adult(134, 78, 72, "78.1", "178", 94, 17), (LUNGS, RHYTHM)),
    Then(120, "Check-up", ("Loses weight without trying.", "Chest clear.", "Weight loss to be watched.", "Weigh every month."),
         _adult(130, 76, 74, "75.2", "178", 93, 18), (LUNGS,)),
))

_WELL = ("Eats and sleeps well.", "Lively. Examination normal.", "Healthy child.", "Next check as planned.")
#: Days old, kilograms, centimetres, head in centimetres.
_GREW = ((31, "4.1", "53.4", "36.6"), (62, "5.0", "57.0", "38.2"), (124, "6.3", "62.0", "40.5"), (185, "7.1", "65.4", "42.1"),
         (275, "7.9", "69.6", "43.6"), (366, "8.5", "73.2", "44.7"), (550, "9.6", "79.6", "46.0"), (735, "11.0", "85.6", "47.1"),
         (1100, "13.6", "94.8", "48.4"), (1465, "16.2", "102.9", "49.4"))
_AGE = 1530
MIA = Life("Mia", "Larkin", "F", "+44 7700 700103", born_ago=_AGE, none_known=True, visits=(
    *(Then(_AGE - old, "Child health check", _WELL, _child(weight, height, head), (WELL,)) for old, weight, height, head in _GREW),
    Then(20, "Ear ache", ("Right ear hurts since yesterday, slept badly.", "Right eardrum red. No fever now.", "Otitis media.",
         "Wait two days with pain relief, come back if worse."), {"weight": "16.3", "temperature": "37.4"}, (EAR,)),
))
PEOPLE = (MARGARET, GORDON, MIA)


def lives(clinic: Clinic, progress: Progress) -> None:
    """Write them; nothing is drawn by chance."""
    with clinic.as_owner() as session:
        me, doctor = accounts.by_username(session, "rita"), accounts.by_username(session, "dora")
    today = datetime.now(clinic.zone).date()
    total, done = sum(len(life.visits) for life in PEOPLE), 0
    for place, life in enumerate(PEOPLE):
        with clinic.as_owner(me) as session:
            patient_id = patients.register(session, _form(life, today))
            doctors.assign(session, doctor.doctor_id or 0, patient_id, "Usual doctor")
        with clinic.as_owner(doctor) as session:
            _known(session, life, patient_id, today)
            for then in life.visits:
                progress("Lives", done, total)
                done += 1
                day = today - timedelta(days=then.ago)
                day -= timedelta(days=max(0, day.weekday() - 4))  # never at a weekend, and after the last of the other past visits
                start = datetime.combine(day, time(16, 20 * place), tzinfo=clinic.zone)
                _visit(session, doctor, patient_id, then, start)


def _form(life: Life, today: date) -> PatientForm:
    born = life.born or f"{today - timedelta(days=life.born_ago):%Y-%m-%d}"
    return PatientForm(first_name=life.first, last_name=life.last, born=born, sex=life.sex, phone=life.phone,
                       address="12 Lime Avenue, Northbridge")


def _known(session: ClinicSession, life: Life, patient_id: str, today: date) -> None:
    first = today - timedelta(days=life.visits[0].ago)
    for substance, reaction, severity in life.allergies:
        chart.add_allergy(session, patient_id, substance, reaction=reaction, severity=severity, noted_on=first)
    if life.none_known:
        chart.state_no_allergies(session, patient_id)
    if life.egfr:
        medication.state_egfr(session, patient_id, Decimal(life.egfr), today - timedelta(days=60))


def _visit(session: ClinicSession, me: Me, patient_id: str, then: Then, start: datetime) -> None:
    clock = session.now
    session.now = lambda: start + timedelta(minutes=15)
    try:
        for description, dosage, reason, days in then.listed:
            session.add(Medicine(patient_id=patient_id, description=description, dosage=dosage, reason=reason, started_on=start.date(),
                                 ended_on=start.date() + timedelta(days=days - 1) if days else None, recorded_by=me.user_id))
        session.flush()
        for name, why, words in then.stops:
            row = next(m for m in medication.current(session, patient_id) if m.description.startswith(name))
            medication.stop(session, row.id, row.version, why, words)
    finally:
        session.now = clock
    adult = "systolic" in then.vitals
    draft = ConsultationDraft(
        notes=dict(zip(("subjective", "objective", "assessment", "plan"), then.notes, strict=True)), vitals=then.vitals,
        oxygen=False if adult else None, consciousness="alert" if adult else "", confirmed=CONFIRMED, items=then.items,
        diagnoses=then.diagnoses,
    )
    number = visit(session, me, patient_id, start, then.why, draft)
    if then.addendum:
        session.now = lambda: start + timedelta(days=12)
        try:
            addenda.add(session, number, then.addendum)
        finally:
            session.now = clock
