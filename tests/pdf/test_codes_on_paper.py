"""Two hundred generated prescriptions, stamped: the paper read back equals the row, and every code survives a grey photocopy."""

from __future__ import annotations

import io
import random
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from PIL import Image, ImageFilter

from clinicdesk.pdf.claims import claim_of
from clinicdesk.pdf.prescription import draw
from clinicdesk.pdf.reading import page_pictures, page_texts
from clinicdesk.pdf.sheets import PrescriptionSheet
from clinicdesk.pdf.signed_page import CODE, Drawn, matrix_of
from clinicdesk.rules.codes import MOST_LETTERS
from clinicdesk.rules.doses import forbidden
from clinicdesk.verifying import papers, wording
from clinicdesk.verifying.pictures import codes_in
from tests.pdf.test_prescription import AMOXICILLIN, random_sheet, sheet
from tests.signing import STAMP, trust_of

PAGES = ("A4", "A5", "Letter")


@cache
def generated() -> list[tuple[PrescriptionSheet, Drawn]]:
    """The two hundred, drawn once for the tests of this module: about 60 ms each."""
    source = random.Random(20261121)
    made = [random_sheet(source) for _ in range(200)]
    return [(one, draw(one, PAGES[n % 3], STAMP)) for n, one in enumerate(made)]  # type: ignore[arg-type]


def test_two_hundred_stamped_prescriptions_say_on_paper_what_is_signed() -> None:
    """Text of the PDF → items equals the canonical form, which holds every printed element; and no forbidden abbreviation came in."""
    seen, most = set(), 0
    for made, drawn in generated():
        claim = claim_of(made)
        texts = [page.text for page in page_texts(drawn.pdf)]
        whole = (*claim.head, *(f for unit in claim.units for f in unit))
        differing, notes = wording.differences(whole, texts)
        assert differing == [], (made, texts)
        assert not notes or made.patient.family_name == "כהן", notes
        values = [f.value for f in whole]
        for item in made.items:
            for element in (item.brand, item.strength, item.form, item.dose, item.rate, item.route, item.frequency, item.directions,
                            item.indication, item.instructions, item.dose_basis, item.quantity):
                assert not element or element.strip() in values
        for text in texts:
            for words in (made.letterhead.phone, made.letterhead.email, made.prescriber.phone, made.patient.record_id):
                text = text.replace(words, "")  # noqa: PLW2901
            assert forbidden(text, ingredients=True) == [], text
        codes = [code for page in drawn.codes for code in page]
        assert all(len(code) <= MOST_LETTERS for code in codes)
        found = papers.check_text("\n".join(codes), trust_of())
        assert found.status == "valid" and len(found.notes) == 1, "all parts are there"
        seen.add((len(made.items), len(texts)))
        most = max(most, *(len(page) for page in drawn.codes))
    assert {items for items, _pages in seen} == {1, 2, 3, 5, 9} and most <= 12


def copied(page: Image.Image, strength: float) -> Image.Image:
    """A grey photocopy: out of focus, noisy, packed as JPEG; at full strength turned into black and white."""
    page = page.filter(ImageFilter.GaussianBlur(0.9 * strength))
    page = Image.blend(page, Image.effect_noise(page.size, 40), 0.15 * strength)
    packed = io.BytesIO()
    page.save(packed, "JPEG", quality=round(90 - 30 * strength))
    page = Image.open(packed).convert("L")
    return page.point(lambda dot: 255 if dot > 135 else 0) if strength >= 1 else page


def test_every_code_is_read_from_a_grey_copy_of_200_dpi() -> None:
    """At 25 mm: the thirty with the largest codes, the thirty with most of them, worst page each; some tenths of a second a page."""
    assert round(CODE / 72 * 25.4, 2) == 25
    drawn = [one for _sheet, one in generated()]
    largest = sorted(range(200), key=lambda n: max(len(code) for page in drawn[n].codes for code in page))[-30:]
    fullest = sorted(range(200), key=lambda n: max(len(page) for page in drawn[n].codes))[-30:]

    def missed(number: int) -> list[str]:
        pages = drawn[number].codes
        worst = max(range(len(pages)), key=lambda n: (len(pages[n]), max((len(code) for code in pages[n]), default=0)))
        read = codes_in([copied(page_pictures(drawn[number].pdf, 200)[worst], 0.6 + number % 3 * 0.2)])
        return [code for code in pages[worst] if code not in read]

    with ThreadPoolExecutor(2) as pool:
        assert [number for number, left in enumerate(pool.map(missed, {*largest, *fullest})) if left] == []


def test_a_code_is_never_larger_than_57_modules_and_has_its_quiet_zone() -> None:
    drawn = draw(sheet(*[AMOXICILLIN] * 9), "A4", STAMP)
    codes = [code for page in drawn.codes for code in page]
    assert max(len(matrix_of(code)) for code in codes) <= 57
    picture = page_pictures(drawn.pdf, 300)[0]
    side = round(CODE / 72 * 300)
    columns = [x for x in range(picture.width) if picture.getpixel((x, round(picture.height - 150 / 72 * 300))) < 60]
    assert columns and max(columns) < picture.width - 40 / 72 * 300 and side > 290
