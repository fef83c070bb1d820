"""Leaving a window: unsaved work is asked about, writes under way are waited for, and only then is it left."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QSize, QTimer, Slot
from PySide6.QtWidgets import QWidget

from ui.desk import Desk
from ui.panel import Panel
from ui.widgets.sheet import Sheet
from ui.widgets.toast import Toasts


class Leaving(QObject):
    """One for each main window. A write that is still on its way would fail with the session it runs under, so the session ends after it;
    when the write failed the person stays, and reads why."""

    def __init__(self, desk: Desk, window: QWidget, panels: Sequence[Panel], toasts: Toasts) -> None:
        super().__init__(window)
        self._desk, self._window, self._panels, self._toasts = desk, window, panels, toasts
        self._go: Callable[[], object] | None = None
        self._failed_before = 0
        self.asking: Sheet | None = None  #: the question about unsaved work, once it was asked

    @property
    def hinders(self) -> bool:
        """Whether anything would be lost by going at once."""
        return bool(self._desk.pool.writing or self.unsaved())

    def unsaved(self) -> list[str]:
        """What going now would lose, a sentence each."""
        found = [panel.unsaved for panel in self._panels if panel.unsaved]
        if any(not sheet.isHidden() and sheet.dirty for sheet in self._window.findChildren(Sheet)):
            found.append(self.tr("A form is open with something typed in it."))
        return found

    def leave(self, go: Callable[[], object]) -> None:
        """Call `go` when nothing hinders any more, or the person said that what does may be lost."""
        lost = self.unsaved()
        if self._go is not None:  # asked for again: nobody has to wait for a server that may never answer
            lost.append(self.tr("Something is still on its way to the server."))
        if not lost:
            self.once_written(go)
            return
        self.asking = Sheet(self._desk, self.tr("Leave unsaved work?"), self.tr("Leave it"), parent=self._window, key="leave",
                            variant="danger", size=QSize(460, 200), explanation=" ".join(lost))
        self.asking.cancel_button.setText(self.tr("Stay here"))
        self.asking.accepted.connect(go)
        self.asking.open()

    def once_written(self, go: Callable[[], object]) -> None:
        """Call `go` when no write is under way; never after one that failed meanwhile."""
        pool = self._desk.pool
        if not pool.writing:
            go()
        elif self._go is None:
            self._go, self._failed_before = go, pool.failed_writes
            self._toasts.show(self.tr("Saving …"), icon="save", seconds=60)
            pool.busy_changed.connect(self._look)

    @Slot()
    def _look(self) -> None:
        pool, go = self._desk.pool, self._go
        if pool.writing or go is None:
            return
        pool.busy_changed.disconnect(self._look)
        self._go = None
        self._toasts.dismiss()
        if pool.failed_writes == self._failed_before:
            QTimer.singleShot(0, self, lambda: self.once_written(go))  # its answer is looked at first, which may begin another write
