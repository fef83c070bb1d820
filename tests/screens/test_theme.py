"""The palette keeps its promises: contrast, both schemes, icons that follow, a style sheet with nothing left unfilled."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from itertools import product
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from ui.icons import NAMES
from ui.style import style_sheet
from ui.theme import RESOURCES, STATUSES, Theme, contrast, read_tokens

SCHEMES = read_tokens()
PAIRS = tomllib.loads((RESOURCES / "theme.toml").read_text(encoding="utf-8"))["contrast"]["pairs"]


@pytest.mark.parametrize(("scheme", "pair"), list(product(SCHEMES, PAIRS)), ids=str)
def test_contrast_of_every_pair(scheme: str, pair: tuple[str, str, float]) -> None:
    ink, ground, minimum = pair
    tokens = SCHEMES[scheme]
    assert contrast(getattr(tokens, ink), getattr(tokens, ground)) >= minimum


@pytest.mark.parametrize(("scheme", "status"), list(product(SCHEMES, STATUSES)))
def test_status_inks_are_readable_on_tint_and_surface(scheme: str, status: str) -> None:
    tokens = SCHEMES[scheme]
    ink, tint = tokens.status[status]
    assert contrast(ink, tint) >= 4.5
    assert contrast(ink, tokens.surface) >= 4.5
    assert contrast(tokens.text, tint) >= 4.5


def test_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_style_sheet_is_complete(scheme: str, tmp_path: Path) -> None:
    sizes = {"small": 12, "body": 13, "title": 17, "display": 26}
    sheet = style_sheet(SCHEMES[scheme], sizes, tmp_path, RESOURCES / "style.qss")
    assert "@" not in sheet
    assert sheet.count("{") == sheet.count("}")


def test_switching_the_scheme_recolours_icons_already_made(theme: Theme) -> None:
    icon = theme.icon("book", "text")

    def in_text_ink() -> bool:
        image = icon.pixmap(32, 32).toImage().convertToFormat(QImage.Format.Format_ARGB32)
        places = product(range(32), range(32))
        colours = {QColor.fromRgba(image.pixel(x, y)).name().upper() for x, y in places if image.pixel(x, y) >> 24 == 255}
        return theme.tokens.text in colours

    assert in_text_ink()
    theme.set_mode("dark")
    try:
        assert theme.dark
        assert in_text_ink()
    finally:
        theme.set_mode("light")
    assert not theme.dark


@pytest.mark.parametrize("name", NAMES)
def test_every_icon_draws_something(theme: Theme, name: str) -> None:
    image = theme.icons.pixmap(name, 24).toImage()
    assert any(image.pixelColor(x, y).alpha() for x in range(24) for y in range(24))


def test_every_token_is_a_colour() -> None:
    for tokens in SCHEMES.values():
        assert all(QColor(getattr(tokens, f.name)).isValid() for f in fields(tokens) if f.name != "status")
