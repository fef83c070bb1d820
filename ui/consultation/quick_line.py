"""One field for a whole prescription line: `amox 500 tid 7d`. What was understood stands below it in full words before it counts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QCompleter, QLineEdit, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.formulary import Formulary
from clinicdesk.rules.shorthand import Parsed, parse
from clinicdesk.rules.shorthand_names import matching
from clinicdesk.rules.tall_man import tall_man
from clinicdesk.services.drafts import ItemDraft
from clinicdesk.services.medication import FavouriteRow
from clinicdesk.services.prescribing import item_from, lacking, preview
from ui.live import HOLDS_REFRESH
from ui.widgets.text import label

_CHOOSING = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Escape})
_STAR = "★ "
_MOST = 12


class QuickLine(QWidget):
    """Signals: `taken(ItemDraft)` for a complete line; `unfinished(ItemDraft)` for one that needs the sheet; `read(ItemDraft | None)` with
    what stands there when it is complete, while it is typed."""

    taken = Signal(object)
    read = Signal(object)
    unfinished = Signal(object)

    def __init__(self, formulary: Formulary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._formulary = formulary
        self._favourites: tuple[FavouriteRow, ...] = ()
        self.field = _Field()
        self.field.setPlaceholderText("Type a line: amox 500 tid 7d")
        self.field.setAccessibleName("Prescribe by typing")
        self.field.setToolTip("Medicine, dose, how often, how long  (F7). Arrow down: favourites.")
        self.field.setProperty(HOLDS_REFRESH, "true")
        self._names = QStringListModel(self)
        completer = QCompleter(self._names, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.activated.connect(self._chosen)
        self.completer = completer
        completer.setWidget(self.field)
        self.field.popup = completer.popup()
        self.words = label("", "body", wrap=True)
        self.unclear = label("", "warning", wrap=True)
        for line in (self.words, self.unclear):
            line.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(4)
        for widget in (self.field, self.words, self.unclear):
            outer.addWidget(widget)
        self.field.textEdited.connect(self._edited)
        self.field.entered.connect(self.submit)
        self.field.emptied.connect(self._shown)
        self.field.asked.connect(self._open_list)
        self.setFocusProxy(self.field)

    def set_favourites(self, rows: Sequence[FavouriteRow]) -> None:
        """The lines that are offered first."""
        self._favourites = tuple(rows)

    def put(self, text: str) -> None:
        """Put words there, as if they were typed."""
        self.field.setText(text)
        self._shown()

    def described(self, text: str) -> str:
        """A line in full words, or what is unclear in it, on one line."""
        found = parse(text, self._formulary)
        if not isinstance(found, Parsed):
            return f"{text}: {found.sentence}"
        return ", ".join(part for part in (_in_full(item_from(found)) or text).split("\n") if part)

    def submit(self) -> None:
        """Take the line when it is complete; else open the sheet with what was understood."""
        text = self.field.text().strip()
        if not text:
            return
        found = parse(text, self._formulary)
        item = item_from(found if isinstance(found, Parsed) else found.understood)
        if isinstance(found, Parsed) and not lacking(item):
            self.field.clear()
            self._shown()
            self.taken.emit(item)
        else:
            self.unfinished.emit(item)

    def done(self) -> None:
        """The sheet took the line."""
        self.field.clear()
        self._shown()

    def _edited(self, text: str) -> None:
        self._shown()
        self._offer(text)

    def _shown(self) -> None:
        """Say what stands there in full words, with the quantity, and what is still unclear."""
        text = self.field.text().strip()
        found = parse(text, self._formulary) if text else None
        words, asks, complete = "", "", None
        if found is not None:
            item = item_from(found if isinstance(found, Parsed) else found.understood)
            words = _in_full(item)
            asks = lacking(item) if isinstance(found, Parsed) else found.sentence
            complete = None if asks else item
        for line, said in ((self.words, words), (self.unclear, asks)):
            line.setText(said)
            line.setVisible(bool(said))
        self.field.setAccessibleDescription(" ".join(part for part in (words, asks) if part))
        self.read.emit(complete)

    def _offer(self, text: str) -> None:
        typed = text.strip().casefold()
        starred = [_STAR + f.title for f in self._favourites if typed and typed in f.title.casefold() and len(typed) >= 3]
        alone = typed.replace(" ", "").replace("-", "").isalpha()
        names = [tall_man(name) for name in (matching(typed, self._formulary) if alone else ())]
        self._show_list([*starred, *names])

    def _open_list(self) -> None:
        """Arrow down in the empty field: the favourites."""
        if not self.field.text().strip():
            self._show_list([_STAR + f.title for f in self._favourites])

    def _show_list(self, lines: list[str]) -> None:
        self._names.setStringList(lines[:_MOST])
        popup = self.completer.popup()
        if popup is None:
            return
        if not lines or [line.casefold() for line in lines] == [self.field.text().strip().casefold()]:
            self._hide(popup)
            return
        self.completer.complete()
        popup.clearSelection()
        popup.setCurrentIndex(self._names.index(-1, 0))  # look-alikes: nothing is chosen until somebody chooses it (R32)

    def _hide(self, popup: QAbstractItemView) -> None:
        if popup.isVisible():
            popup.hide()
            self.field.window().activateWindow()  # not every platform gives the keys back by itself

    def _chosen(self, line: str) -> None:
        self.field.window().activateWindow()
        if line.startswith(_STAR):
            row = next((f for f in self._favourites if _STAR + f.title == line), None)
            self.field.clear()
            self._shown()
            if row is not None:
                (self.unfinished if lacking(row.item) else self.taken).emit(row.item)
            return
        product = self._formulary.find(line)
        self.field.setText(f"{product.name if product else line.casefold()} ")
        self._shown()


class _Field(QLineEdit):
    """A line that says Enter, Esc and the arrow down itself, so that no default button of the window hears them."""

    entered = Signal()
    emptied = Signal()
    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.popup: QAbstractItemView | None = None

    def choosing(self) -> bool:
        """Whether a line of the open list is chosen."""
        return self.popup is not None and self.popup.isVisible() and self.popup.currentIndex().isValid()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.choosing() and event.key() in _CHOOSING:  # the list takes Enter and the arrows
            event.ignore()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.entered.emit()
            event.accept()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            self.emptied.emit()
            event.accept()
        elif event.key() == Qt.Key.Key_Down and not self.text():
            self.asked.emit()
            event.accept()
        else:
            super().keyPressEvent(event)


def _in_full(item: ItemDraft) -> str:
    try:
        line = preview(item)
    except Invalid as refusal:
        return refusal.sentence
    name = " — ".join(part for part in (tall_man(item.medicine), item.strength, item.form) if part)
    more = [item.instructions, f"For {item.indication}" if item.indication else "", "Long-term" if item.long_term else ""]
    quantity = f"Quantity: {line.quantity_text}" if line.quantity_text else ""
    return "\n".join(part for part in (name, line.directions, *more, quantity) if part)
