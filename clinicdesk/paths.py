"""Where the plain files of the application are: beside the source, or inside the bundle that PyInstaller unpacks."""

from __future__ import annotations

import sys
from pathlib import Path


def bundled() -> bool:
    """Whether this is the packed application rather than a source tree or an installed package."""
    return bool(getattr(sys, "frozen", False))


def own_program() -> list[str]:
    """The command that starts another ClinicDesk like this one; arguments follow."""
    return [sys.executable] if bundled() else [sys.executable, "-m", "clinicdesk"]


def root() -> Path:
    """The folder that holds `resources/` and `migrations/`."""
    unpacked: str | None = getattr(sys, "_MEIPASS", None)
    return Path(unpacked) if unpacked else Path(__file__).resolve().parent.parent


def resource(name: str) -> Path:
    """A file below `resources/`, by its relative name with forward slashes. FileNotFoundError when it was not shipped."""
    path = root() / "resources" / name
    if not path.exists():
        raise FileNotFoundError(path)
    return path


def migrations_dir() -> Path:
    """The Alembic folder (env.py and versions/)."""
    return root() / "migrations"
