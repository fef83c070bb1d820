"""The form of the vital signs by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from clinicdesk.services.measuring import VitalsSet
from tests.screens.conftest import shown
from ui.consultation.vitals_form import VitalsForm
from ui.theme import Theme


def test_what_was_measured_of_an_adult_as_a_child_opens_no_window(theme: Theme, qtbot: Any) -> None:
    """The field for a head's circumference has no place in an adult's form, but its earlier value is known."""
    form = VitalsForm(theme, age_years=30)
    shown(form, qtbot, QSize(700, 500))
    before = [one for one in QApplication.topLevelWidgets() if one.isVisible()]
    known = {"head_circumference": Decimal("44.0"), "weight": Decimal("9.8")}
    form.know([VitalsSet(datetime(1997, 3, 1, tzinfo=UTC), known, None, 1, "")], UTC)
    assert [one for one in QApplication.topLevelWidgets() if one.isVisible()] == before
    assert "9.80 on 01-Mar-1997" in form._cells["weight"].before.text() and form._cells["weight"].before.isVisible()
