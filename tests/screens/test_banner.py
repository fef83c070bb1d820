"""The patient banner (reference clinical-safety R1–R12), vitals, chip, password field."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from clinicdesk.services.people import Banner
from tests.screens.conftest import shown
from ui.theme import Theme
from ui.widgets.banner import BannerRow, PatientBanner
from ui.widgets.password import PasswordField
from ui.widgets.status_chip import StatusChip
from ui.widgets.vitals_strip import Vital, VitalsStrip

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MIA = Banner("p_k3m9x2", "Andersen", "Mia Louise", "Ms", date(1980, 11, 5), None, "F", "Known allergies", ("penicillin", "latex"))


def banner(theme: Theme, qtbot: Any, record: Banner, **options: Any) -> PatientBanner:
    made = PatientBanner(theme, record, now=lambda: NOW, **options)
    shown(made, qtbot, QSize(1100, 60))
    return made


def test_the_banner_says_who_in_the_right_order(theme: Theme, qtbot: Any) -> None:
    made = banner(theme, qtbot, MIA)
    assert made.texts() == ["ANDERSEN, Mia Louise (Ms)", "Born 05-Nov-1980 (46y)", "Gender Female", "Record no. p_k3m9x2",
                            "Known allergies", "penicillin, latex"]
    assert "penicillin" in made.accessibleName()


@pytest.mark.parametrize(("title", "expected"), [
    ("Known allergies", "Known allergies"), ("No known allergies", "No known allergies"),
    ("Allergies not recorded", "Allergies not recorded"),
    ("Allergies unavailable", "Allergies unavailable"), ("anything else", "Allergies unavailable")])
def test_four_allergy_titles_and_doubt_is_unavailable(theme: Theme, qtbot: Any, title: str, expected: str) -> None:
    texts = banner(theme, qtbot, dataclasses.replace(MIA, allergy_title=title)).texts()
    assert expected in texts
    assert ("penicillin, latex" in texts) == (title == "Known allergies")


def test_reception_sees_identity_only(theme: Theme, qtbot: Any) -> None:
    texts = banner(theme, qtbot, dataclasses.replace(MIA, allergy_title="", allergies=())).texts()
    assert not any("llerg" in text for text in texts)


def test_the_micro_banner_has_nothing_clinical(theme: Theme, qtbot: Any) -> None:
    made = banner(theme, qtbot, MIA, micro=True)
    assert made.texts() == ["ANDERSEN, Mia Louise (Ms)", "Born 05-Nov-1980", "Record no. p_k3m9x2"]


def test_the_deceased_differ_in_words_and_pattern(theme: Theme, qtbot: Any) -> None:
    def greys(record: Banner) -> set[int]:
        picture = banner(theme, qtbot, record).grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        return {picture.pixelColor(x, 3).lightness() for x in range(500, picture.width())}

    died = dataclasses.replace(MIA, died=date(2026, 2, 3))
    texts = banner(theme, qtbot, died).texts()
    assert texts[1:4] == ["Born 05-Nov-1980", "Died 03-Feb-2026", "Age at Death 45y"]
    assert len(greys(MIA)) == 1
    assert max(greys(died)) - min(greys(died)) > 20, "a pattern, not only a colour"


def test_what_stands_beside_the_banner_shares_its_ground(theme: Theme, qtbot: Any) -> None:
    beside = QWidget()
    beside.setFixedSize(48, 48)
    row = BannerRow(theme, PatientBanner(theme, MIA, now=lambda: NOW), beside)
    shown(row, qtbot, QSize(1100, 60))

    def ground() -> set[str]:
        picture = row.grab().toImage()
        return {picture.pixelColor(x, 3).name() for x in (500, *range(row.width() - 60, row.width()))}

    assert ground() == {theme.tokens.surface.lower()}
    row.findChild(PatientBanner).set_banner(dataclasses.replace(MIA, died=date(2026, 2, 3)))
    assert theme.tokens.surface.lower() not in ground(), "the whole row is the deceased's"


def test_vitals_carry_a_word_beside_the_colour(theme: Theme, qtbot: Any) -> None:
    made = VitalsStrip(theme, [Vital("Pulse", "131", "/min", "alarm", "Very high"), Vital("Temp.", "36.8", "°C")])
    shown(made, qtbot)
    names = [w.accessibleName() for w in made.findChildren(QWidget) if w.accessibleName()]
    assert names == ["Pulse 131 /min Very high", "Temp. 36.8 °C"]
    made.set_vitals([])
    assert "No vital signs recorded yet." in [w.property("text") for w in made.findChildren(QWidget) if w.property("text")]


def test_chip_and_password(theme: Theme, qtbot: Any) -> None:
    chip = StatusChip(theme, "in_progress")
    shown(chip, qtbot)
    assert chip.accessibleName() == "In progress"
    field = PasswordField(theme, "Password")
    shown(field, qtbot)
    QTest.keyClicks(field, "A")
    assert field.echoMode() == PasswordField.EchoMode.Password
    field.toggle()
    assert field.echoMode() == PasswordField.EchoMode.Normal
