"""The printed day: every name and number in the extracted text, several pages with headings, any covered script."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pypdf
import pytest

from clinicdesk.errors import ClinicError
from clinicdesk.pdf.day_sheet import DaySheet, DoctorSheet, SheetLine, render
from clinicdesk.pdf.sheets import Letterhead

HEAD = Letterhead("Harbour Street Clinic", "12 Harbour Street, Bristol BS1 4QA", "+44 117 496 0123", "desk@harbour.example")
NAMES = ("Brennan, Niamh", "Παπαδόπουλος, Γιώργος", "Щербаков, Иван", "Nguyễn, Thị Mai")


def line(n: int, name: str) -> SheetLine:
    start, end = 480 + 20 * n, 500 + 20 * n
    times = f"{start // 60:02d}:{start % 60:02d}–{end // 60:02d}:{end % 60:02d}"
    return SheetLine(times, name, date(1980, 11, 5), "+44 7700 900123", "Follow-up", "Confirmed", "In pain" if n == 1 else "")


def sheet(*doctors: DoctorSheet) -> DaySheet:
    return DaySheet(HEAD, date(2026, 11, 23), datetime(2026, 11, 21, 14, 5, tzinfo=UTC), doctors)


def texts(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def squeezed(text: str) -> str:
    """Without white space: a long name stands on two lines."""
    return "".join(text.split())


def lowest_name(pdf: bytes) -> float:
    """The lowest point, in points from the lower edge, at which a patient's name begins on any page."""
    found: list[float] = []

    def look(text: str, _matrix: object, place: list[float], *_font: object) -> None:
        if text.startswith("Person"):
            found.append(place[5])

    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        page.extract_text(visitor_text=look)
    assert found
    return min(found)


def test_everything_is_on_the_paper_in_every_script() -> None:
    lines = tuple(line(n, name) for n, name in enumerate(NAMES))
    text, = texts(render(sheet(DoctorSheet("Dr Amelia Okonkwo", "Family medicine", "08:00–17:00", "", lines),
                               DoctorSheet("Dr Ivo Grgić", "Cardiology", "", "Congress", ()))))
    for words in (*NAMES, "05-Nov-1980", "Closed: Congress", "On top: In", "4 appointments", "Mon 23-Nov-2026", "Page 1 of 1"):
        assert squeezed(words) in squeezed(text), words
    assert "+44 7700 900123" in text.replace("\u00a0", " ")


def test_a_long_day_goes_on_over_pages_with_its_headings() -> None:
    doctors = [DoctorSheet(f"Dr Number {d}", "GP", "08:00–17:00", "", tuple(line(n, f"Person {d}-{n:02d}") for n in range(27)))
               for d in range(4)]
    made = render(sheet(*doctors))
    pages = texts(made)
    assert len(pages) >= 3
    whole = "\n".join(pages)
    assert all(whole.count(f"Person {d}-{n:02d}") == 1 for d in range(4) for n in range(27)), "nobody is lost or printed twice"
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page and "Harbour Street Clinic" in page
        assert page.count("Patient") == page.count("Dr Number"), "every table has its headings"
    assert lowest_name(made) > 48, "nothing runs into the foot of the page"


def test_the_same_day_gives_the_same_bytes_and_an_uncovered_script_is_refused() -> None:
    one = sheet(DoctorSheet("Dr A", "GP", "", "", (line(0, "Brennan, Niamh"),)))
    assert render(one) == render(one)
    with pytest.raises(ClinicError, match="Chinese"):
        render(sheet(DoctorSheet("Dr A", "GP", "", "", (line(0, "王, 伟"),))))
