"""Ask what a template asks."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox, QWidget

from clinicdesk.rules.snippets import Snippet, prompts
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class PromptSheet(Sheet):
    """One field a question; choices can be typed over. What is left empty stays visible in the note."""

    def __init__(self, desk: Desk, snippet: Snippet, parent: QWidget | None = None) -> None:
        super().__init__(desk, snippet.name, "Insert", parent=parent, key="prompts", size=QSize(480, 360), scroll=True)
        form = self.set_form(Form())
        self._questions = prompts(snippet.text)
        for number, prompt in enumerate(self._questions):
            if prompt.choices:
                box = QComboBox()
                box.setEditable(True)
                box.addItems(list(prompt.choices))
                form.add(str(number), prompt.question, box)
            else:
                form.text(str(number), prompt.question)
        form.mark_clean()
        form.editor("0").setFocus()

    def answers(self) -> dict[str, str]:
        """What was answered, by question."""
        assert self.form is not None  # noqa: S101  built in __init__
        return {prompt.question: str(self.form.value(str(number)) or "") for number, prompt in enumerate(self._questions)}
