"""`clinicdesk desktop-entry`: ClinicDesk in this person's menu, from wherever its folder is now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def desktop_entry(*, remove: Annotated[bool, typer.Option("--remove", help="Take it out of the menu again.")] = False) -> None:
    """Put ClinicDesk into the menu of this account (Linux). The menu forgets it by itself when the program's folder is deleted."""
    import platformdirs

    from clinicdesk.errors import CannotStart
    from clinicdesk.paths import own_program, resource

    if sys.platform != "linux":
        raise CannotStart("desktop_entry", "Menu entries of this kind are for Linux.", "Make a shortcut to the program instead.")
    target = platformdirs.user_data_path() / "applications" / "clinicdesk.desktop"
    try:
        if remove:
            target.unlink(missing_ok=True)
            typer.echo("ClinicDesk is no longer in the menu.")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(entry(own_program(), resource("icon/clinicdesk-256.png")), encoding="utf-8")
    except OSError as error:
        raise CannotStart("desktop_entry", f"{target} cannot be written: {error.strerror}.", "Start the program by its file.") from None
    typer.echo(f"ClinicDesk is in the menu ({target}).")


def entry(command: list[str], icon: Path) -> str:
    """The entry after the Desktop Entry Specification 1.5; TryExec hides it when the program is gone."""
    return ("[Desktop Entry]\nType=Application\nVersion=1.5\n"
            "Name=ClinicDesk\nGenericName=Clinic\nComment=Appointments, charts, prescriptions\n"
            f"Exec={' '.join(_quoted(part) for part in command)}\nTryExec={_escaped(command[0])}\nIcon={_escaped(str(icon))}\n"
            "Terminal=false\nCategories=Office;MedicalSoftware;\nStartupWMClass=clinicdesk\n")


def _escaped(value: str) -> str:
    """A string value: the file's own escape."""
    return value.replace("\\", "\\\\")


def _quoted(argument: str) -> str:
    """One argument of Exec: quoted by its rules, `%` doubled, then escaped as every string."""
    for special in '\\"`$':
        argument = argument.replace(special, "\\" + special)
    return _escaped(f'"{argument.replace("%", "%%")}"')
