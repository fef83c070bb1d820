"""What the installed program is made of (bundle/files.py), compared with the repository and with what the code really opens."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from bundle import files

ROOT = Path(__file__).parent.parent
SHIPPED = {Path(source).resolve() for source, _ in files.our_files() + files.package_files() + files.postgres_files()}
SOURCES = sorted(p for package in ("clinicdesk", "ui") for p in (ROOT / package).rglob("*.py"))
#: Kinds of files that PyInstaller finds by imports; metadata is collected for every package that is shipped.
COLLECTED = {".py", ".pyc", ".so", ".pyd"}


def tracked(folder: str) -> set[Path]:
    said = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", folder], cwd=ROOT, capture_output=True,
                          text=True, check=True).stdout
    return {ROOT / name for name in said.splitlines() if (ROOT / name).exists()}


def test_every_resource_and_migration_is_shipped() -> None:
    left_out = {path.relative_to(ROOT).as_posix() for folder in files.OURS for path in tracked(folder) - SHIPPED}
    assert left_out == {"migrations/script.py.mako", "resources/growth/make_tables.py", "resources/icon/make_png.py",
                        "resources/make_icd10cm.py"}, "files of the repository that an installed ClinicDesk would miss"


def test_our_packages_hold_nothing_but_modules() -> None:
    """Plain files beside the modules would be found in the source tree and missed in the bundle: they belong into resources/."""
    assert not {path for folder in ("clinicdesk", "ui") for path in tracked(folder) if path.suffix != ".py"}


@pytest.mark.timeout(180)
def test_every_plain_file_that_is_opened_is_shipped(clinic_folder: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "tests.openings_process", str(clinic_folder)], capture_output=True, text=True,
                          cwd=clinic_folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False, timeout=170)
    assert done.returncode == 0, done.stderr[-2000:]
    installed = Path(files.package("procrastinate")).parent
    opened = [path for line in done.stdout.splitlines() if (path := Path(line)).suffix not in COLLECTED]
    ours = {path.resolve() for path in opened if any(path.is_relative_to(tree) for tree in (ROOT, installed))
            and not any(part.endswith((".dist-info", ".egg-info")) for part in path.parts)}
    assert {"queries.sql", "theme.toml", "icd10cm.tsv.xz", "0001_tables.sql"} <= {path.name for path in ours}, "it sees what is opened"
    assert not ours - SHIPPED, "opened at run time and not in the bundle"


def test_every_resource_named_in_the_code_is_shipped() -> None:
    named = [node.args[0].value for path in SOURCES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "resource"
             and node.args and isinstance(node.args[0], ast.Constant)]
    assert len(named) > 8
    for name in named:
        wanted = ROOT / "resources" / str(name)
        assert any(path == wanted or path.is_relative_to(wanted) for path in SHIPPED), name


def test_every_program_that_is_started_is_shipped() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "clinicdesk" / "storage").glob("*.py"))
    started = set(re.findall(r'_bin / "(\w+)"', text)) | set(re.findall(r'\bprogram\("(\w+)"', text))
    assert {"postgres", "initdb", "pg_dump", "pg_restore"} <= started
    assert started <= files.POSTGRES_PROGRAMS
    assert started <= {path.stem for path in SHIPPED if path.parent.name == "bin"}


def test_no_file_goes_by_its_own_path() -> None:
    """`__file__` is another folder in the bundle; `clinicdesk.paths` is the one place that knows."""
    users = {path.relative_to(ROOT).as_posix() for path in SOURCES if "__file__" in path.read_text(encoding="utf-8")}
    assert users == {"clinicdesk/paths.py"}


def test_libraries_that_nothing_needs_are_left_out() -> None:
    links = {"/x/plug.so": ["libone.so"], "/x/libone.so": ["libtwo.so"], "/x/libtwo.so": []}
    rows = [("PySide6/Qt/plugins/platforms/plug.so", "/x/plug.so", "BINARY"), ("libone.so", "/x/libone.so", "BINARY"),
            ("some.libs/libtwo.so", "/x/libtwo.so", "BINARY"), ("libtwo.so", "some.libs/libtwo.so", "SYMLINK"),
            ("libgtk.so", "/x/libgtk.so", "BINARY"), ("libgtk.so.3", "libgtk.so", "SYMLINK"), ("resources/a.toml", "/x/a.toml", "DATA")]
    kept = files.without_orphans([*rows, ("PySide6/Qt/lib/libQt6Quick.so", "/x/q.so", "BINARY")], lambda file: links.get(file, []))
    assert {PurePosixPath(row[0]).name for row in rows} - {PurePosixPath(row[0]).name for row in kept} == {"libgtk.so"}
