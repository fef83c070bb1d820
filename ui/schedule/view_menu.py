"""The button that lists a person's named views (Ctrl+1 to Ctrl+9), keeps the present one under a name, renames and deletes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from clinicdesk.errors import Invalid
from ui.desk import Desk
from ui.schedule.named_views import NamedView, NamedViews
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet

KEYS = 9


class ViewButton(QToolButton):
    """Signal `chosen(NamedView)`. `present(name)` gives what is shown now, to be kept under a name."""

    chosen = Signal(object)

    def __init__(self, desk: Desk, present: Callable[[str], NamedView], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._present = desk, present
        self.kept = NamedViews(desk)
        self.sheet: Sheet | None = None
        self.setProperty("framed", "true")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIcon(desk.theme.icon("show"))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setText(self.tr("Views"))
        self.setToolTip(self.tr("Named views  (Ctrl+1 … Ctrl+9)"))
        self.setAccessibleName(self.tr("Named views"))
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill)
        self.setMenu(self._menu)
        for number in range(KEYS):
            QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self, partial(self.choose, number))
        self.fill()

    def choose(self, number: int) -> None:
        """The view with this place in the list (from 0)."""
        if number < len(self.kept.views):
            self.chosen.emit(self.kept.views[number])

    def fill(self) -> None:
        """List what there is now."""
        self._menu.clear()
        for number, view in enumerate(self.kept.views):
            key = f"\tCtrl+{number + 1}" if number < KEYS else ""
            mark = self._menu.addAction(f"{view.name}{key}", partial(self.chosen.emit, view))
            mark.setCheckable(True)
            mark.setChecked(self._present(view.name) == view)
        self._menu.addSeparator()
        self._menu.addAction(self.tr("Save this view …"), self.save)
        for title, act in ((self.tr("Rename"), self.rename), (self.tr("Delete"), self.delete)):
            inner = self._menu.addMenu(title)
            for view in self.kept.views:
                inner.addAction(view.name, partial(act, view.name))

    def save(self) -> None:
        """Ask for a name and keep what is shown."""
        self.sheet = NameSheet(self._desk, self.tr("Save this view"), self.tr("Save view"), "",
                               lambda name: self.kept.save(self._present(name)), self.window())
        self.sheet.open()

    def rename(self, name: str) -> None:
        """Ask for another name."""
        self.sheet = NameSheet(self._desk, self.tr("Rename this view"), self.tr("Rename"), name,
                               partial(self.kept.rename, name), self.window())
        self.sheet.open()

    def delete(self, name: str) -> None:
        """Forget it; the toast brings it back."""
        before = list(self.kept.views)
        self.kept.delete(name)
        self._desk.tell(self.tr("The view {0} is deleted.").format(name), partial(self._back, before))

    def _back(self, views: list[NamedView]) -> None:
        for view in views:
            self.kept.save(view)


class NameSheet(Sheet):
    """One name; `take(name)` keeps it or raises Invalid."""

    def __init__(self, desk: Desk, title: str, verb: str, name: str, take: Callable[[str], object], parent: QWidget) -> None:
        super().__init__(desk, title, verb, parent=parent, key="view-name", size=QSize(420, 220),
                         explanation="Doctors, day, week or month, and how close are kept for you.")
        self._take = take
        form = self.set_form(Form())
        form.text("name", "Name", limit=40, placeholder="For example: Family doctors")
        form.set_values({"name": name})
        self.body.addStretch(1)
        form.editor("name").setFocus()

    def submit(self) -> None:
        """Keep it."""
        if self.form is None:
            return
        try:
            self._take(self.form.value("name"))
        except Invalid as error:
            self.show_problem(error)
        else:
            self.accept()
