"""Wrapping and shaping: no line wider than its column, no word lost, every glyph real."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.pdf.page import Piece, keep_numbers, wrap
from clinicdesk.pdf.shaping import printable, register_fonts, runs, text_width

words = st.lists(st.sampled_from(["a", "tablet", "DOSE\u00a0500\u00a0mg", "—", "Παπαδόπουλος", "שרה", "محمد", "(x)", "W" * 40, "i" * 90,
                                   "\n"]), min_size=1, max_size=30)


@given(words, st.floats(60, 400), st.sampled_from([7.5, 10.5, 17.0]))
def test_lines_fit_and_keep_every_word(tokens: list[str], width: float, size: float) -> None:
    pieces = [Piece(" ".join(tokens[::2]), "regular"), Piece(" "), Piece(" ".join(tokens[1::2]), "bold")]
    lines = wrap(pieces, width, size)
    for line in lines:
        assert sum(text_width(p.text, p.style, size) for p in line) <= width + 0.001
        assert sum(run.width for run in runs([(p.text, p.style) for p in line], size)) <= width + 0.001
    kept = "".join(p.text for line in lines for p in line)
    assert kept.replace(" ", "") == "".join(p.text for p in pieces).replace(" ", "").replace("\n", "")


def test_number_and_unit_stay_together() -> None:
    narrow = text_width("give it 500", "regular", 10) + 1
    lines = wrap([Piece(keep_numbers("give it 500 mg now"))], narrow, 10)
    assert ["".join(p.text for p in line) for line in lines] == ["give it", "500\u00a0mg", "now"]


@pytest.mark.parametrize("text", ["Ада Lovelace", "שרה כהן (Ms) 12", "محمد 45 mg", "ΌΥ — 5 %", "e\u0323\u0301x"])
def test_every_run_has_glyphs_for_all_its_characters(text: str) -> None:
    fonts = register_fonts()
    drawn = runs([(printable(text), "bold")], 10)
    assert all(ord(c) in fonts[run.font].face.charToGlyph for run in drawn for c in run.text)
    assert all(fonts[run.font].face.charToGlyph[ord(c)] != 0 for run in drawn for c in run.text)


def test_right_to_left_is_in_visual_order() -> None:
    (left, hebrew, right) = runs([("a שלום (b)", "regular")], 10)
    assert (left.text, hebrew.text, right.text) == ("a ", "םולש", " (b)")
    bracketed = "".join(run.text for run in runs([("(שלום)", "regular")], 10))
    assert bracketed == "(םולש)"
    numbers = "".join(run.text for run in runs([("רחוב 12 א", "regular")], 10))
    assert numbers == "א 12 בוחר"


def test_printable_drops_direction_and_control_characters() -> None:
    assert printable("a\u202eb\x07\r\nc\td") == "ab\nc d"
    assert unicodedata.is_normalized("NFC", printable("e\u0301"))


def test_glyphs_without_a_character_have_a_fixed_private_one() -> None:
    """Else the bytes of a page would depend on which joined letters were printed before it."""
    for font in register_fonts().values():
        face = font.face
        assert all(face.glyphToChar.get(glyph) for glyph in range(face.numGlyphs))
        private = [face.glyphToChar[g][0] for g in range(face.numGlyphs) if 0xE000 <= face.glyphToChar[g][0] <= 0xF8FF]
        assert private == sorted(private)
