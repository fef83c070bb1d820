"""Journeys: real windows on real databases, as in a clinic; one theme, and Qt's warnings fail."""

from tests.screens.conftest import _no_qt_warnings, theme
from tests.screens.office import office

__all__ = ["_no_qt_warnings", "office", "theme"]
