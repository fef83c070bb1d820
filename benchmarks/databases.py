"""What reception and doctors wait for, through the real services under row security."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from decimal import Decimal

from benchmarks import noisy
from benchmarks.filling import PASSWORD, READ, WEEK_DOCTORS, Filled, administrator
from benchmarks.floors import Floors, bare_pdf
from benchmarks.measuring import Result, beside
from benchmarks.people import person
from clinicdesk.clinic import Clinic
from clinicdesk.demo.days import ITEMS
from clinicdesk.pdf.prescription import render
from clinicdesk.pdf.sheets import Letterhead, Prescriber, PrescriptionPatient, PrescriptionSheet, item_from
from clinicdesk.rules.names import normalise
from clinicdesk.services import appointments, availability, chart, finding, patients, prescribing, proofs, visits
from clinicdesk.services.schedule import NewAppointment


@contextmanager
def floors_of(clinic: Clinic) -> Iterator[Floors]:
    """The bare connections, for as long as something is measured."""
    with administrator(clinic) as reader, administrator(clinic, triggers=False) as writer:
        floors = Floors(clinic, reader, writer)
        try:
            yield floors
        finally:
            floors.close()


def measure(clinic: Clinic, filled: Filled, floors: Floors, rounds: int) -> Iterator[Result]:
    """Every line, one after another."""
    rita = clinic.sign_in("rita", PASSWORD, "bench").token
    dora = clinic.sign_in(filled.doctor_users[filled.doctors[0]], PASSWORD, "bench").token
    yield from _searches(clinic, filled, floors, rita, rounds)
    yield from noisy.measure(clinic, filled, rita, rounds)
    yield _card(clinic, filled, floors, rita, rounds)
    yield from _schedules(clinic, filled, floors, rita, max(3, rounds // 4))
    yield _booking(clinic, filled, floors, rita, rounds)
    yield _chart(clinic, filled, floors, dora, max(3, rounds // 2))
    yield _pdf(max(3, rounds // 2))
    yield _sign_in(clinic, max(3, rounds // 5))


def _searches(clinic: Clinic, filled: Filled, floors: Floors, token: str, rounds: int) -> Iterator[Result]:
    step = max(1, filled.patients // (READ + 17))
    people = [person(n * step % filled.patients) for n in range(rounds + 20)]
    lasts = [normalise(p.last_name).split()[0].replace(" ", "")[:5] for p in people]
    firsts = [normalise(p.first_name).split()[0][:3] for p in people]
    tails = [p.phone[-6:] for p in people]

    def search(typed: str) -> None:
        with clinic.read(token) as session:
            if not finding.search(session, typed):
                raise AssertionError(f"nobody is found by “{typed}”")

    yield beside("Search by the beginning of a name", lambda n: search(lasts[n]), lambda n: floors.search("name", lasts[n]), rounds,
                 factor=True)
    yield beside("Search by two parts of a name", lambda n: search(f"{lasts[n]} {firsts[n]}"),
                 lambda n: floors.search_two(lasts[n], firsts[n]), rounds, factor=True)
    yield beside("Search by the end of a phone number", lambda n: search(tails[n]),
                 lambda n: floors.search("phone", tails[n][::-1]), rounds, factor=True)


def _card(clinic: Clinic, filled: Filled, floors: Floors, token: str, rounds: int) -> Result:
    ids = filled.readable

    def card(n: int) -> None:
        with clinic.read(token) as session:
            patients.card(session, ids[n % len(ids)])

    return beside("Patient card", card, lambda n: floors.card(ids[n % len(ids)]), rounds, factor=True)


def _schedules(clinic: Clinic, filled: Filled, floors: Floors, token: str, rounds: int) -> Iterator[Result]:
    with clinic.read(token) as session:
        begin, end = availability.day_bounds(session, filled.today)
        doctors = [c.doctor_id for c in appointments.day(session, filled.today).columns]
    monday = filled.today - timedelta(days=filled.today.weekday())
    week = [datetime.combine(monday + timedelta(days=n), time(0), tzinfo=clinic.zone) for n in (0, 7)]
    some = doctors[:WEEK_DOCTORS]

    def day(_n: int) -> None:
        with clinic.read(token) as session:
            appointments.day(session, filled.today)

    def whole_week(_n: int) -> None:
        with clinic.read(token) as session:
            availability.calendars(session, some, week[0], week[1])
            appointments.blocks(session, week[0], week[1], some)

    found = floors.schedule(begin, end, doctors), floors.schedule(week[0], week[1], some)
    yield beside(f"A day of {len(doctors)} doctors", day, lambda _n: floors.schedule(begin, end, doctors), rounds,
                 note=f"{found[0]} appointments")
    yield beside(f"A week of {len(some)} doctors", whole_week, lambda _n: floors.schedule(week[0], week[1], some), rounds,
                 note=f"{found[1]} appointments")


def _booking(clinic: Clinic, filled: Filled, floors: Floors, token: str, rounds: int) -> Result:
    begin = datetime.combine(filled.today + timedelta(days=60), time(18), tzinfo=clinic.zone)
    made: list[int] = []

    def place(n: int) -> tuple[int, str, datetime, datetime]:
        start = begin + timedelta(days=n // 5, minutes=20 * (n % 5))
        return filled.doctors[n % 50], filled.readable[n % len(filled.readable)], start, start + timedelta(minutes=20)

    def ours(n: int) -> None:
        with clinic.write(token) as session:
            made.append(appointments.book(session, NewAppointment(*place(n), reason="Check")))

    def bare(n: int) -> None:
        doctor, who, start, end = place(n)
        made.append(floors.book(doctor, who, start + timedelta(hours=2), end + timedelta(hours=2)))

    def undo(_n: int) -> None:
        floors.unbook(made)
        made.clear()

    return beside("Booking", ours, bare, rounds, factor=True, after=undo)


def _chart(clinic: Clinic, filled: Filled, floors: Floors, token: str, rounds: int) -> Result:
    texts = 0

    def ours(_n: int) -> None:
        nonlocal texts
        with clinic.read(token) as session:
            chart.chart(session, filled.long_patient)
            visits.count(session, filled.long_patient)
            found = visits.read(session, visits.of_patient(session, filled.long_patient))
            if any(one.source != "documents" for one in found):
                raise AssertionError("a visit did not come from the document server")
            texts = len(found)

    result = beside("Chart with a long history, first page", ours, lambda _n: floors.chart(filled.long_patient), rounds)
    with clinic.read(token) as session:
        total = visits.count(session, filled.long_patient)
    return Result(**{**{f: getattr(result, f) for f in result.__slots__}, "note": f"{texts} of {total} visits opened"})


def sheet() -> PrescriptionSheet:
    """A prescription of three medicines."""
    lines = [prescribing.preview(item) for item in ITEMS[:3]]
    who = person(7)
    return PrescriptionSheet(
        letterhead=Letterhead("Scratch Clinic", "1 Measure Street, Northbridge", "+44 1632 960100", "desk@scratch.example"),
        prescriber=Prescriber("Dr 0000 Measure", "Family medicine", "LIC-0000", "1 Measure Street", "+44 1632 960101"),
        patient=PrescriptionPatient(who.last_name, who.first_name, "", who.address, who.born, "58 years", "Female", who.id,
                                    Decimal("68.5")),
        issue_id="RX-0000-0000", issued=datetime.now().astimezone(), allergy_title="Known allergies", allergies=("Penicillin", "Latex"),
        items=tuple(item_from(line.direction, medicine=line.typed.medicine, strength=line.typed.strength, form=line.typed.form,
                              quantity=line.quantity_text, indication=line.typed.indication) for line in lines),
        signer_line="Issued by Dr 0000 Measure")


def _pdf(rounds: int) -> Result:
    paper = sheet()
    texts = [paper.letterhead.name, paper.letterhead.address, paper.prescriber.name, paper.patient.family_name, paper.patient.address,
             *(word for item in paper.items for word in (item.medicine, item.strength, item.directions, item.quantity)), *(["Words"] * 20)]
    return beside("Prescription PDF", lambda _n: render(paper, "A5"), lambda _n: bare_pdf(texts), rounds, limit=30)


def _sign_in(clinic: Clinic, rounds: int) -> Result:
    with clinic.database.read() as session:
        how = proofs.challenge(session, "rita")

    def ours(_n: int) -> None:
        clinic.sign_out(clinic.sign_in("rita", PASSWORD, "bench").token)

    return beside("Sign-in and sign-out", ours, lambda _n: proofs.derive(PASSWORD, how), rounds,
                  note="floor: deriving the key alone")
