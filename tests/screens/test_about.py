"""About ClinicDesk: the version, and the licence of every part."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from clinicdesk import __version__
from ui.desk import Desk
from ui.dialogs.about import AboutWindow


def test_every_part_shows_its_licence(desk: Desk, qtbot: Any) -> None:
    about = AboutWindow(desk)
    qtbot.addWidget(about)
    about.show()
    assert about.version.text() == f"Version {__version__}"
    names = [part.name for part in about.parts]
    assert {"PostgreSQL 18", "Qt 6", "Python", "SecantusDB", "PySide6_Essentials", "Noto fonts"} <= set(names)
    assert len(names) == len(set(names))
    for number, part in enumerate(about.parts):
        about.list.setCurrentRow(number)
        assert about.licence.text() == part.licence != ""
        assert len(about.text.toPlainText()) > 200, f"{part.name} comes without a text"
    about.list.setCurrentRow(names.index("SecantusDB"))
    assert "GPL-2.0" in about.licence.text()
    QTest.keyClick(about, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not about.isVisible())
