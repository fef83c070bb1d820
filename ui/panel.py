"""What a panel is: one entry of the rail and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from PySide6.QtWidgets import QWidget

from ui.desk import Desk


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do from anywhere in the panel: listed in the command bar, and on its key while the panel is shown.

    With a `word`, “word and more” in the command bar offers what `typed(more)` would do (None: nothing).
    """

    title: str
    run: Callable[[], object]
    icon: str = "command"
    shortcut: str = ""
    word: str = ""
    typed: Callable[[str], Action | None] | None = None


class Panel(QWidget):
    """One entry of the rail. Subclasses set the class attributes, build their widgets in `__init__` and load nothing until shown.

    `key` is stable (remembered geometry, tests); `title` is the word on the rail; `icon` a name of `ui.icons.NAMES`.
    """

    key: ClassVar[str] = ""
    title: ClassVar[str] = ""
    icon: ClassVar[str] = "home"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.setAccessibleName(self.title)

    def refresh(self) -> None:
        """Read everything again (F5). Keeps selection, scroll, focus and typed text."""

    def show_topic(self, topic: str, subject: Any) -> bool:  # noqa: ARG002  what subclasses look at
        """Show a thing (`"patient"`, id) if this panel can; the window asks the panels in order until one says True."""
        return False

    def commands(self) -> Sequence[Action]:
        """What the command bar offers while this panel exists, with their keys while it is shown."""
        return ()

    def first_focus(self) -> QWidget | None:
        """Which widget has the focus when the panel is shown the first time."""
        return None

    @property
    def unsaved(self) -> str:
        """A sentence naming what would be lost by signing out, or ""."""
        return ""
