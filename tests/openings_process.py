"""Opens a clinic in the folder given and uses everything that comes with files; prints every file Python opened, one a line.

For tests/test_bundle_files.py. What Qt and other libraries open by themselves does not show here; those files are named to them by
`clinicdesk.paths`, and the pictures of the bundle's own tour show them.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from pathlib import Path

opened: set[str] = set()


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        opened.add(os.fsdecode(arguments[0]))


def main(folder: Path) -> None:
    """Import every module, read every table, migrate a fresh database, run the queue."""
    sys.addaudithook(_note)
    import clinicdesk
    import ui

    for package in (clinicdesk, ui):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    from PySide6.QtWidgets import QApplication

    from clinicdesk import components
    from clinicdesk.clinic import open_clinic
    from clinicdesk.config import load_settings
    from clinicdesk.paths import resource
    from clinicdesk.pdf.shaping import register_fonts
    from clinicdesk.rules import content_tables, formats, formulary, growth, knowledge, passwords, snippets
    from clinicdesk.services import diagnosing
    from ui.theme import Theme

    theme = Theme(QApplication([]), mode="light")
    theme.icon("info").pixmap(16, 16)
    for part in components.components():
        part.text()
    register_fonts()
    formulary.read_formulary(resource("medicines"))
    content_tables.content_tables(resource("medicines"))
    knowledge.shipped()
    snippets.read_snippets(resource("note_templates.toml"))
    growth.lms("weight", "f", 400, "who")
    growth.lms("weight", "f", 4000, "cdc")
    diagnosing.codes()
    passwords.check_password("a long enough one")
    formats.check_phone("+44 20 7946 0958")
    open_clinic(load_settings(data_dir=folder)).close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    print("\n".join(sorted(opened)))
