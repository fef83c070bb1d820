"""An annotated copy: a new document over the original, which stays as it is to the last byte."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from clinicdesk.errors import ClinicError, Invalid
from clinicdesk.rules.marks import Mark
from clinicdesk.services import annotating, attachments
from clinicdesk.services.annotating import NewCopy
from tests.clinics import Practice
from tests.files import pdf, picture
from tests.services.test_attachments import deliver, got, patient_of_dora, put, rows
from tests.visiting import as_owner
from ui.printing import render_pages

REMARK = Mark(0, "text", ((0.3, 0.3),), "Swelling, compare with May.")
MARKS = (REMARK, Mark(0, "arrow", ((0.3, 0.4), (0.6, 0.5))), Mark(1, "box", ((0.5, 0.5), (0.9, 0.7))),
         Mark(1, "stroke", ((0.1, 0.8), (0.2, 0.82), (0.3, 0.8))))


def keep(practice: Practice, original: object, *marks: Mark) -> bytes:
    with practice.write("dora") as session:
        number = annotating.keep_copy(session, NewCopy(original, "Marked", marks))  # type: ignore[arg-type]
    return got(practice, number)


def is_red(content: bytes, page: int, x: float, y: float) -> bool:
    """Whether there is red ink near this place of the page as a person sees it."""
    image = render_pages(content, 72)[page]
    across, down = round(x * image.width()), round(y * image.height())
    near = [image.pixelColor(min(across + i, image.width() - 1), min(down + j, image.height() - 1))
            for i in range(-3, 4) for j in range(-3, 4)]
    return any(colour.red() > colour.blue() + 60 and colour.red() > colour.green() + 60 for colour in near)


def test_a_copy_is_a_new_document_and_the_original_stays(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    original = pdf("Words of the original", pages=3)
    number = put(practice, patient, original, "Letter of the eye clinic")
    deliver(practice)
    before = as_owner(practice, "select sealed_sha256, size, delivered_at from clinic.attachments where id = %s", number)
    copy = keep(practice, number, *MARKS)
    assert as_owner(practice, "select sealed_sha256, size, delivered_at from clinic.attachments where id = %s", number) == before
    assert got(practice, number) == original
    newest = rows(practice, patient)[0]
    assert (newest.title, newest.kind, newest.copy_of, newest.original) == ("Marked", "pdf", number, "Letter of the eye clinic")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(copy)).pages]
    assert len(pages) == 3 and all("Words of the original" in words for words in pages), "its own words are still words"
    assert "Swelling, compare with May." in pages[0] and "Dr Dora Kim" in pages[0]
    assert "Dr Dora Kim" in pages[1] and "Dr Dora Kim" not in pages[2], "marked pages say who marked them"


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_marks_stand_where_they_were_put_however_the_page_is_turned(practice: Practice, turn: int) -> None:
    writer, written = PdfWriter(PdfReader(io.BytesIO(pdf()))), io.BytesIO()
    writer.pages[0].rotate(turn)
    writer.pages[0].cropbox.lower_left = (50, 80)
    writer.write(written)
    number = put(practice, patient_of_dora(practice), written.getvalue())
    copy = keep(practice, number, Mark(0, "box", ((0.5, 0.6), (0.9, 0.8))))
    assert is_red(copy, 0, 0.5, 0.7) and is_red(copy, 0, 0.9, 0.7) and is_red(copy, 0, 0.7, 0.6) and is_red(copy, 0, 0.7, 0.8)
    assert not is_red(copy, 0, 0.7, 0.7) and not is_red(copy, 0, 0.3, 0.3)


def test_a_picture_is_marked_upright(practice: Practice) -> None:
    written = io.BytesIO()
    turned = Image.new("RGB", (300, 200), "white")
    marking = turned.getexif()
    marking[0x0112] = 6
    turned.save(written, "JPEG", exif=marking)
    for content, tall in ((written.getvalue(), True), (picture("PNG"), False)):
        number = put(practice, patient_of_dora(practice), content)
        copy = keep(practice, number, REMARK, MARKS[1])
        box = PdfReader(io.BytesIO(copy)).pages[0].mediabox
        assert (box.height > box.width) == tall
        assert is_red(copy, 0, 0.6, 0.5)


def test_what_cannot_be_marked_or_drawn_is_said(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    number, words = put(practice, patient, pdf()), put(practice, patient, b"only text")
    for original, marks, said in ((number, (), "at least one"), (number, (Mark(0, "text", ((0.1, 0.1),), " "),), "at least one"),
                                  (number, (Mark(0, "arrow", ((0.1, 0.1), (0.1, 0.1))),), "at least one"),
                                  (number, (REMARK,) * 201, "at most 200"),
                                  (number, (Mark(0, "text", ((0, 0),), "x" * 501),), "at most 500"),
                                  (words, (REMARK,), "cannot be marked")):
        with pytest.raises(Invalid, match=said):
            keep(practice, original, *marks)
    with pytest.raises(ClinicError, match="cannot be printed"):
        keep(practice, number, Mark(0, "text", ((0.1, 0.1),), "日本語"))
    with practice.read("dora") as session:
        assert len(attachments.of_patient(session, patient)) == 2


def test_a_remark_at_the_edge_stays_on_the_page(practice: Practice) -> None:
    number = put(practice, patient_of_dora(practice), pdf())
    copy = keep(practice, number, Mark(0, "text", ((0.99, 0.99),), "At the very corner of the page"))
    assert is_red(copy, 0, 0.97, 0.985)
    assert REMARK.moved(2, -2).points == ((1.0, 0.0),)
