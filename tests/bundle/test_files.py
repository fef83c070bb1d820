"""What lies in the folder: everything that is read at run time, licences of everything, nothing of the wrong kind, not too much."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

from PyInstaller.archive.readers import CArchiveReader

from bundle import files
from clinicdesk import __version__
from clinicdesk.components import _TEXT
from tests.bundle.conftest import MADE, Person

INSIDE = MADE / "_internal"


def modules(program: Path) -> set[str]:
    archive = CArchiveReader(str(program))
    return {name.split(".")[0] for name in archive.open_embedded_archive("PYZ.pyz").toc}


def test_every_file_of_the_list_is_there_as_it_is() -> None:
    for source, folder in files.our_files() + files.package_files() + files.postgres_files():
        shipped = INSIDE / folder / Path(source).name
        assert shipped.read_bytes() == Path(source).read_bytes(), shipped


def test_the_document_server_is_a_program_of_its_own() -> None:
    ours, theirs = modules(MADE / "clinicdesk"), modules(MADE / "clinicdesk-documents")
    assert not {"secantus", "wiredtiger", "_wiredtiger", "numpy", "readline"} & ours
    assert {"secantus", "wiredtiger"} <= theirs
    assert not {"clinicdesk", "ui", "PySide6", "sqlalchemy"} & theirs
    assert "benchmarks" not in ours


def test_no_file_of_this_computer_is_named() -> None:
    """Neither a link out of the folder nor a path of the computer that made it."""
    for path in INSIDE.rglob("*"):
        if path.is_symlink():
            assert path.resolve().is_relative_to(MADE), path
    text = [path for pattern in ("*.json", "*.toml", "*.txt", "RECORD", "METADATA") for path in INSIDE.rglob(pattern)]
    assert not [path for path in text if str(files.ROOT).encode() in path.read_bytes()]


def test_every_library_is_in_the_folder_or_the_systems_own() -> None:
    """What a desktop without development files has: the C library, and what draws on it (docs/packaging.md names them)."""
    system = re.compile(r"/(lib(c|m|dl|pthread|rt|util|resolv)|ld-linux[\w-]*|lib(EGL|GL|GLX|GLdispatch|OpenGL|gbm|drm|vulkan)"
                        r"|lib(wayland-\w+|X11|X11-xcb|Xau|Xdmcp|xcb)|lib(fontconfig|freetype|expat|z|com_err|uuid))\.so")
    outside: dict[str, Path] = {}
    for path in INSIDE.rglob("*.so*"):
        said = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"],
                              "LD_LIBRARY_PATH": str(INSIDE)}).stdout
        for line in said.splitlines():
            assert "not found" not in line or "wayland-compositor" in str(path), f"{path}: {line}"
            found = re.search(r"=> (/\S.*) \(0x", line)
            if found and not Path(found[1]).is_relative_to(MADE) and not system.search(found[1]):
                outside[found[1]] = path
    assert not outside


def test_it_is_not_too_big() -> None:
    size = sum(path.lstat().st_size for path in MADE.rglob("*"))
    assert size < 300_000_000, f"{size / 1e6:.0f} MB"


def test_every_part_has_its_licence() -> None:
    """Each package that is in there brings its metadata, and each of those a text, by itself or from components.toml."""
    extra = tomllib.loads((INSIDE / "resources/licences/components.toml").read_text(encoding="utf-8"))["texts"]
    packages = list(metadata.distributions(path=[str(INSIDE)]))
    assert len(packages) > 50
    assert {"SecantusDB", "numpy", "psycopg", "PySide6_Essentials", "reportlab"} <= {package.name for package in packages}
    for package in packages:
        texts = [file for file in package.files or () if _TEXT.search(file.as_posix()) and Path(str(file.locate())).is_file()]
        assert texts or package.name.lower().replace("_", "-") in extra, package.name
    assert list((INSIDE / "resources/licences/system").glob("*.txt"))
    assert (MADE / "LICENSE").exists()


def test_the_version(program: Path, person: Person) -> None:
    assert person.run(program, "--version").stdout == f"ClinicDesk {__version__}\n"
