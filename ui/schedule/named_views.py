"""Ways of looking at the calendar that a person keeps under a name: which doctors, day, week or month, how close."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from clinicdesk.errors import Duplicate, Invalid
from ui.desk import Desk

_KEY, _LAST = "calendar/views", "calendar/last"
MOST = 30
UNITS = ("day", "week", "month")
ALL = "All doctors"


@dataclass(frozen=True, slots=True)
class NamedView:
    """`doctors` None means all, also those who come later; `hour_px` is the zoom."""

    name: str
    doctors: tuple[int, ...] | None = None
    unit: str = "day"
    hour_px: int = 96


class NamedViews:
    """The views of one person, in order; the first nine have keys. Kept at this desk through `desk.remember`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.views = _read(desk.recall(_KEY, "")) or [NamedView(ALL)]

    def last(self) -> NamedView | None:
        """What was shown last at this desk, under no name."""
        return next(iter(_read(self._desk.recall(_LAST, ""))), None)

    def remember(self, view: NamedView) -> None:
        """What is shown now, to begin with it the next time."""
        self._desk.remember(_LAST, json.dumps([asdict(view)]))

    def save(self, view: NamedView) -> None:
        """Keep a view; one of the same name is replaced. Invalid for no name, a long one, or too many."""
        name = _checked(view.name)
        view = replace(view, name=name)
        numbers = [n for n, one in enumerate(self.views) if one.name.casefold() == name.casefold()]
        if numbers:
            self.views[numbers[0]] = view
        elif len(self.views) >= MOST:
            raise Invalid("name", f"There are {MOST} views already. Delete one first.")
        else:
            self.views.append(view)
        self._write()

    def rename(self, old: str, new: str) -> None:
        """Call a view something else; Duplicate when another has that name."""
        name = _checked(new)
        if any(one.name.casefold() == name.casefold() and one.name != old for one in self.views):
            raise Duplicate("name", "Another view has this name.")
        self.views = [replace(one, name=name) if one.name == old else one for one in self.views]
        self._write()

    def delete(self, name: str) -> None:
        """Forget a view; without any, all doctors are one again."""
        self.views = [one for one in self.views if one.name != name] or [NamedView(ALL)]
        self._write()

    def _write(self) -> None:
        self._desk.remember(_KEY, json.dumps([asdict(view) for view in self.views], ensure_ascii=False))


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid("name", "The view needs a name.")
    if len(name) > 40:
        raise Invalid("name", "At most 40 characters.")
    return name


def _read(text: str) -> list[NamedView]:
    """What was kept; what cannot be understood (another version wrote it) is left out."""
    try:
        rows = json.loads(text) if text else []
    except ValueError:
        return []
    found = []
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("name"), str) and row.get("unit") in UNITS:
            doctors = row.get("doctors")
            known = tuple(n for n in doctors if isinstance(n, int)) if isinstance(doctors, list) else None
            zoom = row.get("hour_px")
            found.append(NamedView(row["name"], known, row["unit"], zoom if isinstance(zoom, int) else 96))
    return found
