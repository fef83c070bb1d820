"""The printed prescription: every legal element in the extracted text, safe wording, stable bytes, honest copies."""

import io
import random
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pypdf
import pytest

from clinicdesk.errors import ClinicError, Invalid
from clinicdesk.pdf.page import PAPER
from clinicdesk.pdf.prescription import (
    FREE_TEXT_WORDS,
    Letterhead,
    Prescriber,
    PrescriptionPatient,
    PrescriptionSheet,
    SheetItem,
    is_copy,
    item_from,
    mark_copy,
    missing,
    render,
)
from clinicdesk.rules.ages import age_text
from clinicdesk.rules.directions import Direction, quantity_words
from clinicdesk.rules.doses import forbidden

ISSUED = datetime(2026, 11, 21, 14, 5, tzinfo=ZoneInfo("Europe/London"))
HEAD = Letterhead("Harbour Street Clinic", "12 Harbour Street, Bristol BS1 4QA", "+44 117 496 0123", "desk@harbour.example",
                  "Registration 1-2345678")
DOCTOR = Prescriber("Dr Amelia Okonkwo", "General practitioner", "7654321", "12 Harbour Street, Bristol BS1 4QA", "+44 117 496 0124")
ADULT = PrescriptionPatient("Brennan", "Niamh", "Ms", "Flat 4, 27 Clarence Road\nBristol BS6 5TR", date(1980, 11, 5), "46y", "Female",
                            "p_4k7m2q")
AMOXICILLIN = item_from(Direction(Decimal(500), "mg", "oral", times_per_day=3, duration_days=7), medicine="Amoxicillin",
                        strength="500 mg",
                        form="capsule", quantity=quantity_words(Decimal(21), "capsule"), indication="chest infection",
                        instructions="Finish the whole course.")


def sheet(*items: SheetItem, patient: PrescriptionPatient = ADULT, title: str = "No known allergies", allergies: tuple[str, ...] = ()
          ) -> PrescriptionSheet:
    return PrescriptionSheet(HEAD, DOCTOR, patient, "RX-7K3M-9Q2D", ISSUED, title, allergies, items or (AMOXICILLIN,),
                             "Signed by Dr Amelia Okonkwo on 21-Nov-2026 14:05")


def texts(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def squeezed(text: str) -> str:
    """Without white space, so that a wrapped line still holds its words."""
    return re.sub(r"\s+", "", text)


PEOPLE = [("Brennan", "Niamh"), ("O'Connor-Smith", "Zoë"), ("Παπαδόπουλος", "Γιώργος"), ("Щербаков", "Иван"), ("כהן", "שרה"),
          ("Nguyễn", "Thị Hồng"),
          ("Wołodarczyk", "Świętosława"), ("van der Berg", "Jan Willem")]
MEDICINES = [("paracetamol", "500 mg", "tablet"), ("Salbutamol", "100 micrograms per puff", "inhaler"),
             ("amoxicillin + clavulanic acid", "500 mg + 125 mg", "tablet"),
             ("insulin glargine", "100 units per mL", "prefilled pen"), ("Levothyroxine", "25 micrograms", "tablet"), ("vitamin D",
                                                                                                                       "800 units",
                                                                                                                       "capsule"),
             ("hydrocortisone", "1 %", "cream")]


CAPITALS = {"Παπαδόπουλος": "ΠΑΠΑΔΟΠΟΥΛΟΣ"}
#: How a generic name typed with a capital stands on paper (R22).
LOWER = {"Salbutamol": "salbutamol", "Levothyroxine": "levothyroxine"}


def random_item(source: random.Random) -> SheetItem:
    medicine, strength, form = source.choice(MEDICINES)
    unit = source.choice(["mg", "tablet", "mL", "unit", "microgram", "puff", "application"])
    dose = Decimal(source.choice(["1", "2", "0.5", "12.5", "1000", "250", "7.25"]))
    kind = source.choice(["regular", "hours", "as needed", "infusion", "once", "weekly"])
    direction = {
        "regular": Direction(dose, unit, "oral", times_per_day=source.randint(1, 6), duration_days=source.randint(1, 90)),
        "hours": Direction(dose, unit, "oral", every_hours=source.choice([1, 4, 6, 8, 12, 48]), duration_days=7),
        "as needed": Direction(dose, unit, "oral", as_needed=True, as_needed_for="pain", min_interval_hours=6, max_per_day=dose * 4,
                               duration_days=5),
        "infusion": Direction(Decimal(1), "g", "infusion", every_hours=12, rate="100 mL per hour over 30 minutes", duration_days=2),
        "once": Direction(dose, unit, "intramuscular", once=True),
        "weekly": Direction(dose, unit, "subcutaneous", times_per_day=1, weekdays=(0, 3), duration_days=28,
                            text="change the place each time"),
    }[kind]
    return item_from(direction, medicine=medicine, strength=strength, form=form, brand=source.choice(["", "", "Brandol Forte"]),
                     quantity=quantity_words(Decimal(source.randint(1, 200)), source.choice(["tablet", "bottle", "mL"])),
                     instructions=source.choice(["", "Take with food.", "Avoid alcohol while you take this medicine. " * 4]),
                     indication=source.choice(["", "high blood pressure", "asthma"]), free_text=source.random() < 0.2,
                     dose_basis=source.choice(["", "", "10 mg per kg"]))


def random_sheet(source: random.Random) -> PrescriptionSheet:
    family, given = source.choice(PEOPLE)
    child = source.random() < 0.3
    born = date(2026 - source.randint(0, 11), 3, 9) if child else date(source.randint(1920, 2000), 7, 31)
    patient = PrescriptionPatient(family, given, source.choice(["", "Ms", "Dr"]), "27 Clarence Road\nBristol BS6 5TR", born,
                                  age_text(born, ISSUED),
                                  source.choice(["Female", "Male", "Other"]), "p_" + "".join(source.choices("abcdef0123456789", k=6)),
                                  Decimal(source.randint(30, 400)) / 10 if child else None)
    title = source.choice(["Known allergies", "No known allergies", "Allergies not recorded", "Allergies unavailable"])
    allergies = ("penicillin: rash", "latex: swelling of the lips") if title == "Known allergies" else ()
    items = tuple(random_item(source) for _ in range(source.choice([1, 1, 2, 3, 5, 9])))
    return replace(sheet(*items, patient=patient, title=title, allergies=allergies), issue_id=f"RX-{source.randint(1000, 9999)}-9Q2D")


def assert_complete(s: PrescriptionSheet, pages: list[str]) -> None:
    for number, page in enumerate(pages, 1):
        flat = squeezed(page)
        on_every_page = [HEAD.name, HEAD.address, HEAD.phone, DOCTOR.name, DOCTOR.role, f"Registration {DOCTOR.registration}",
                         DOCTOR.phone,
                         "Issued 21-Nov-2026 14:05", s.issue_id, s.patient.address, f"({s.patient.age_text})", s.patient.sex,
                         s.patient.record_id,
                         s.patient.born.strftime("%d-%b-%Y"), s.allergy_title, *s.allergies, "Signature", s.signer_line,
                         f"Page {number} of {len(pages)}"]
        if s.patient.weight_kg is not None:
            on_every_page.append(f"{s.patient.weight_kg.normalize():f} kg")
        for element in on_every_page:
            assert squeezed(element) in flat, (element, page)
        for name in (CAPITALS.get(s.patient.family_name, s.patient.family_name.upper()), s.patient.given_name):
            assert squeezed(name) in flat, (name, page)
        assert ("No more items" in page) == (number == len(pages))
        assert (f"Continued on page {number + 1}" in page) == (number < len(pages))
    # A page break falls between items, so what stands before the footer of each page, joined, holds the items in order.
    body = squeezed("".join(page.split("Prescriber\n")[0] for page in pages))
    at = 0
    for n, item in enumerate(s.items, 1):
        shown = item.medicine if item.free_text else LOWER.get(item.medicine, item.medicine)
        begin = body.find(squeezed(f"{n} of {len(s.items)}{shown}"), at)
        assert begin >= at, (n, item, body)
        at = begin
        for element in (item.brand, item.strength, item.form, f"DOSE {item.dose}", item.rate, item.route, item.frequency, item.directions,
                        item.indication, item.instructions, item.dose_basis, item.quantity, FREE_TEXT_WORDS if item.free_text else ""):
            assert squeezed(element) in body[begin:], (element, body[begin:])
    assert f"Nomoreitems:{len(s.items)}of{len(s.items)}" in body


def test_two_hundred_prescriptions_are_complete_and_safe() -> None:
    source = random.Random(20261121)
    pages_seen = set()
    for i in range(200):
        s = random_sheet(source)
        assert missing(s, 5 if s.patient.weight_kg else 40) == ()
        pages = texts(render(s, ["A4", "A5", "Letter"][i % 3]))
        assert_complete(s, pages)
        pages_seen.add(len(pages))
        for page in pages:
            wording = page
            for not_wording in (HEAD.phone, HEAD.email, DOCTOR.phone, s.patient.record_id):
                wording = wording.replace(not_wording, "")
            assert forbidden(wording, ingredients=True) == [], page
    assert {1, 2} <= pages_seen


def test_nine_items_fit_on_two_pages_of_a4() -> None:
    assert len(texts(render(sheet(*[AMOXICILLIN] * 9)))) == 2


@pytest.mark.parametrize("name", list(PAPER))
def test_paper_sizes(name: str) -> None:
    box = pypdf.PdfReader(io.BytesIO(render(sheet(), name))).pages[0].mediabox  # type: ignore[arg-type]
    assert (round(float(box.width)), round(float(box.height))) == tuple(round(v) for v in PAPER[name])  # type: ignore[index]


def test_same_sheet_same_bytes_whatever_was_printed_before() -> None:
    arabic = sheet(patient=replace(ADULT, family_name="العربي", given_name="محمد"))
    first = render(sheet())
    before = render(arabic)
    render(sheet(patient=replace(ADULT, family_name="عبدالله", given_name="ليلى")))
    assert render(sheet()) == first
    assert render(arabic) == before
    assert first != before


def test_joined_arabic_is_drawn_joined() -> None:
    page = texts(render(sheet(patient=replace(ADULT, family_name="العربي", given_name="ليلى"))))[0]
    assert re.search("[\ufe80-\ufefc\ue000-\uf8ff]", page), "letters were drawn in their isolated forms"


def test_copy_is_the_original_with_a_mark_appended() -> None:
    s = sheet(*[AMOXICILLIN] * 9)
    original, copy = render(s), render(s, copy=True)
    assert copy.startswith(original)
    assert mark_copy(original) == copy
    assert mark_copy(copy) == copy
    assert is_copy(copy)
    assert not is_copy(original)
    for before, after in zip(pypdf.PdfReader(io.BytesIO(original)).pages, pypdf.PdfReader(io.BytesIO(copy)).pages, strict=True):
        assert "COPY" not in before.extract_text()
        assert after.extract_text().count("COPY") == 2
        assert squeezed(after.extract_text().replace("COPY", "")) == squeezed(before.extract_text())
        streams = after["/Contents"]
        assert [s.get_object().get_data() for s in streams][-1] == before["/Contents"].get_object().get_data()  # type: ignore[union-attr,attr-defined]


def test_only_our_own_documents_are_marked() -> None:
    for damaged in (b"", b"%PDF-1.4\nnothing", render(sheet())[:500]):
        with pytest.raises(ClinicError, match="cannot be marked"):
            mark_copy(damaged)


def test_long_text_wraps_and_is_never_cut() -> None:
    endless = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 12
    item = replace(AMOXICILLIN, instructions="Drink water. " * 400, indication=endless, medicine="a " + "very " * 60 + "long name")
    for paper in PAPER:
        pages = texts(render(sheet(item, AMOXICILLIN), paper))
        body = squeezed("".join(page.split("Prescriber\n")[0] for page in pages))
        assert (body.count("Drink"), body.count("water.")) == (400, 400)
        assert body.count("coniosis") == 12


def test_text_stays_inside_the_margins() -> None:
    s = sheet(replace(AMOXICILLIN, indication="W" * 300), title="Known allergies",
              allergies=tuple(f"substance {i}: rash" for i in range(30)))
    for name, (width, height) in PAPER.items():
        seen: list[tuple[float, float]] = []

        def note(text: str, cm: list[float], tm: list[float], *_: object, seen: list[tuple[float, float]] = seen) -> None:
            if text.strip():
                seen.append((tm[4], tm[5]))
        for page in pypdf.PdfReader(io.BytesIO(render(s, name))).pages:
            page.extract_text(visitor_text=note)
        assert all(25 <= x <= width - 25 and 15 <= y <= height - 15 for x, y in seen if (x, y) != (0, 0))


@pytest.mark.parametrize(("change", "says"), [
    ({"directions": "Take 1 tablet tid."}, "Item 2, Amoxicillin: “tid” in the directions .* three times a day"),
    ({"instructions": "100 µg extra"}, "micrograms"), ({"quantity": "21 tabs"}, "tablets"), ({"indication": "pain @ night"}, "at"),
    ({"dose": "1.0 mg"}, "zero"), ({"medicine": "MSO4"}, "morphine"), ({"frequency": "q6h"}, "every"), ({"strength": "5 mg/mL"}, "per"),
])
def test_unsafe_wording_is_refused_by_item(change: dict[str, str], says: str) -> None:
    with pytest.raises(Invalid, match=says) as refusal:
        render(sheet(AMOXICILLIN, replace(AMOXICILLIN, **change)))  # type: ignore[arg-type]
    assert refusal.value.field == "items"


@pytest.mark.parametrize(("name", "script"),
                         [("李", "Chinese"), ("สมชาย", "Thai"), ("김", "Korean"), ("राम", "Devanagari"), ("A😀", "Grinning")])
def test_a_script_without_font_is_refused(name: str, script: str) -> None:
    with pytest.raises(ClinicError, match=f"patient's name is {script}"):
        render(sheet(patient=replace(ADULT, given_name=name)))


def test_empty_prescription_and_invented_allergy_title_are_refused() -> None:
    with pytest.raises(Invalid):
        render(replace(sheet(), items=()))
    with pytest.raises(Invalid):
        render(sheet(title="NKDA"))


def test_no_space_for_medicines_is_said() -> None:
    with pytest.raises(ClinicError, match="no space for medicines"):
        render(sheet(title="Known allergies", allergies=tuple(f"substance number {i} with a long name: rash" for i in range(120))), "A5")


def test_missing_elements_are_listed() -> None:
    empty = PrescriptionSheet(Letterhead("", ""), Prescriber("", "", "", "", ""),
                              PrescriptionPatient("", "", "", "", date(2020, 1, 1), "", "", ""),
                              "", datetime(2026, 1, 1, tzinfo=UTC), "Known allergies", (),
                              (SheetItem("", "", "", "", "", "", "", "", ""),))
    lacks = missing(empty, 6)
    assert len(lacks) == 13 + 2 + 7
    assert "patient weight" in lacks
    assert "allergy status" in lacks
    assert "item 1: dose" in lacks
    assert missing(replace(sheet(), items=()), 40) == ("a medicine",)
    assert missing(sheet(), 40) == ()


def test_allergy_band_has_a_sign_only_for_known_allergies() -> None:
    def shapes(s: PrescriptionSheet) -> int:
        return pypdf.PdfReader(io.BytesIO(render(s))).pages[0]["/Contents"].get_object().get_data().count(b" l ")  # type: ignore[union-attr,attr-defined]
    plain = {shapes(sheet(title=t)) for t in ("No known allergies", "Allergies not recorded", "Allergies unavailable")}
    assert len(plain) == 1
    assert shapes(sheet(title="Known allergies", allergies=("latex",))) > min(plain)
