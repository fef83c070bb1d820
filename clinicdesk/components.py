"""What ClinicDesk is made of and under which licences: for the About window and for whoever hands the program on.

Python packages answer for themselves by their metadata, which the bundle carries for what it contains; the rest stands in
`resources/licences/components.toml`. In a source tree the list is what is installed there, tools of development among it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from clinicdesk.paths import resource

_TEXT = re.compile(r"licen[cs]e|copying|notice|copyright", re.IGNORECASE)
_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Component:
    """One part: `licence` is the name it gives itself (SPDX where it has one), `version` may be empty, `texts` are files."""

    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]

    def text(self) -> str:
        """Every licence text of this part, one after another."""
        return "\n\n".join(path.read_text(encoding="utf-8", errors="replace").strip() for path in self.texts)


def components() -> list[Component]:
    """Every part, by name."""
    listed = tomllib.loads(resource("licences/components.toml").read_text(encoding="utf-8"))
    found = [Component(one["name"], "", one["licence"], _files(one["texts"])) for one in listed["component"]]
    found += _packages(listed["texts"])
    system = resource("licences") / "system"  # libraries taken from the computer that made the bundle
    found += [Component(path.stem, "", "see text", (path,)) for path in system.glob("*.txt")]
    return sorted(found, key=lambda one: one.name.lower())


def _files(names: list[str]) -> tuple[Path, ...]:
    return tuple(resource(name) for name in names)


def _packages(extra: dict[str, list[str]]) -> Iterator[Component]:
    seen = set()
    for package in metadata.distributions():
        name = re.sub(r"[-_.]+", "-", package.name).lower()
        if name in seen or name == "clinicdesk":
            continue
        seen.add(name)
        texts = [Path(str(package.locate_file(file))) for file in package.files or ()
                 if ".dist-info/" in file.as_posix() and _TEXT.search(file.as_posix().split(".dist-info/")[1])]
        yield Component(package.name, package.version, _licence(package), (*sorted(path for path in texts if path.is_file()),
                                                                           *_files(extra.get(name, []))))


def _licence(package: metadata.Distribution) -> str:
    """The expression, else the short licence field, else the classifiers."""
    about = package.metadata
    for given in (*(about.get_all("License-Expression") or ()), *(about.get_all("License") or ())):
        if given and len(given) < 60 and "\n" not in given:
            return str(given)
    classes = [value.removeprefix(_CLASSIFIER) for value in about.get_all("Classifier") or () if value.startswith(_CLASSIFIER)]
    return ", ".join(classes) or "see text"
