"""The paper's fonts, which characters they cover, and text of any covered script as runs in visual order.

ReportLab's own right-to-left support does nothing when its bidi module is missing, so levels come from python-bidi and Arabic joining
from HarfBuzz here. A character no font covers is refused before anything is printed, never drawn as a box.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Literal

from bidi import algorithm as bidi_algorithm
from bidi.mirror import MIRRORED
from reportlab.lib.abag import ABag
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont, shapeFragWord

from clinicdesk.errors import CannotStart, ClinicError
from clinicdesk.paths import resource

Style = Literal["regular", "bold", "italic"]

#: Style → fonts in the order in which they are asked for a character.
_CHAINS: Final[dict[Style, tuple[str, ...]]] = {
    "regular": ("NotoSans-Regular", "NotoSansHebrew-Regular", "NotoSansArabic-Regular"),
    "bold": ("NotoSans-Bold", "NotoSansHebrew-Bold", "NotoSansArabic-Bold"),
    "italic": ("NotoSans-Italic", "NotoSansHebrew-Regular", "NotoSansArabic-Regular"),
}
_PRIVATE_USE: Final = 0xE000
_SCRIPTS: Final = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "DEVANAGARI": "Devanagari"}


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of one line in one font, ready to draw; `text` may carry glyph positions from HarfBuzz."""

    text: str
    font: str
    style_index: int
    width: float


@cache
def register_fonts() -> dict[str, Any]:
    """Load the fonts once; `CannotStart("fonts")` when a file is missing or damaged."""
    fonts = {}
    for name in sorted({name for chain in _CHAINS.values() for name in chain}):
        try:
            font = TTFont(name, str(resource(f"fonts/{name}.ttf")))
        except Exception as problem:
            raise CannotStart("fonts", f"The font {name} is missing or damaged.", "Install ClinicDesk again.") from problem
        pdfmetrics.registerFont(font)
        _name_every_glyph(font)
        fonts[name] = font
    return fonts


def _name_every_glyph(font: Any) -> None:
    """Give glyphs without a character (joined Arabic forms) a private one in a fixed order.

    ReportLab hands these out in order of first use, and then the bytes of a page would depend on what was printed before it.
    """
    face = font.face
    scale = 1000 / face.unitsPerEm
    next_free = _PRIVATE_USE
    metrics = font.hbFont(10)
    for glyph in range(face.numGlyphs):
        if face.glyphToChar.get(glyph):
            continue
        while next_free in face.charToGlyph:
            next_free += 1
        face.charToGlyph[next_free] = glyph
        face.glyphToChar[glyph] = [next_free]
        face.charWidths[next_free] = metrics.get_glyph_h_advance(glyph) * scale
        next_free += 1


@lru_cache(maxsize=4096)
def _font_for(character: str, style: Style) -> str | None:
    fonts = register_fonts()
    point = ord(character)
    if _PRIVATE_USE <= point <= 0xF8FF:
        return None
    return next((name for name in _CHAINS[style] if point in fonts[name].face.charToGlyph), None)


def printable(text: str) -> str:
    """Composed text without control and direction characters, as it is drawn; line breaks stay."""
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(c for c in composed if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf"})


def check_coverage(texts: Iterable[tuple[str, str]]) -> None:
    """`ClinicError` for the first of (what, text) with a character no font covers; it names the text and the script."""
    for what, text in texts:
        for character in printable(text):
            if character == "\n" or _font_for(character, "regular") is not None:
                continue
            word = unicodedata.name(character, "unknown").split()[0]
            script = _SCRIPTS.get(word, word.capitalize())
            raise ClinicError(f"This cannot be printed: “{character}” in the {what} is {script} writing, which the fonts do not cover.",
                              "Write it in Latin, Greek, Cyrillic, Hebrew or Arabic letters.")


@lru_cache(maxsize=65_536)
def _character_width(character: str, style: Style) -> float:
    font = _font_for(character, style)
    return 0.0 if font is None else float(pdfmetrics.stringWidth(character, font, 1))


def text_width(text: str, style: Style, size: float) -> float:
    """Width in points of one line without breaks."""
    if _needs_shaping(text):
        return sum(run.width for run in runs([(text, style)], size))
    return sum(_character_width(c, style) for c in text) * size


def _needs_shaping(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(c) in {"R", "AL", "AN", "NSM"} for c in text)


def runs(pieces: Sequence[tuple[str, Style]], size: float) -> list[Run]:
    """One line of styled pieces as runs from left to right; the line as a whole reads left to right, as the form does."""
    text = "".join(piece for piece, _ in pieces)
    owner = [i for i, (piece, _) in enumerate(pieces) for _ in piece]
    levels = _levels(text) if _needs_shaping(text) else [0] * len(text)
    spans: list[tuple[int, str, int, str]] = []  # level, font, piece, characters
    font = ""
    for character, level, piece in zip(text, levels, owner, strict=True):
        style = pieces[piece][1]
        keep = bool(spans) and spans[-1][0] == level and spans[-1][2] == piece
        joins = character == " " or unicodedata.combining(character)
        if not (keep and joins and ord(character) in register_fonts()[font].face.charToGlyph):
            font = _font_for(character, style) or _CHAINS[style][0]
        if keep and spans[-1][1] == font:
            spans[-1] = (level, font, piece, spans[-1][3] + character)
        else:
            spans.append((level, font, piece, character))
    return [_run(level, font, piece, characters, size) for level, font, piece, characters in _visual(spans)]


def _levels(text: str) -> list[int]:
    storage = bidi_algorithm.get_empty_storage()
    storage["base_level"], storage["base_dir"] = 0, "L"
    bidi_algorithm.get_embedding_levels(text, storage)
    bidi_algorithm.explicit_embed_and_overrides(storage)
    bidi_algorithm.resolve_weak_types(storage)
    bidi_algorithm.resolve_neutral_types(storage, False)  # noqa: FBT003  its debug flag
    bidi_algorithm.resolve_implicit_levels(storage, False)  # noqa: FBT003
    levels = [int(character["level"]) for character in storage["chars"]]
    if len(levels) != len(text):  # explicit direction characters were removed by `printable`, so this cannot differ
        raise AssertionError("bidi levels do not fit the text")
    return levels


def _visual(spans: list[tuple[int, str, int, str]]) -> list[tuple[int, str, int, str]]:
    """Rule L2 of the Unicode bidirectional algorithm, on runs."""
    ordered = list(spans)
    highest = max((s[0] for s in ordered), default=0)
    for level in range(highest, 0, -1):
        i = 0
        while i < len(ordered):
            j = i
            while j < len(ordered) and ordered[j][0] >= level:
                j += 1
            ordered[i:j] = reversed(ordered[i:j])
            i = max(j, i + 1)
    return ordered


def _run(level: int, font: str, piece: int, characters: str, size: float) -> Run:
    strong = any(unicodedata.bidirectional(c) in {"R", "AL"} for c in characters)
    if strong or any(unicodedata.combining(c) for c in characters):
        # Required joining only: discretionary ligatures would turn a name into a calligraphic sign.
        shaped = shapeFragWord([0, (ABag(fontName=font, fontSize=size), characters)], {"kern": True, "liga": True}, force=True)[1][1]
        return Run(shaped, font, piece, sum(s.x_advance for s in shaped.__shapeData__) * size / 1000)
    if level % 2:
        characters = "".join(MIRRORED.get(c, c) for c in reversed(characters))
    return Run(characters, font, piece, float(pdfmetrics.stringWidth(characters, font, size)))
