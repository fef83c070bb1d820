"""Makes `resources/icd10cm.tsv.xz` from the package simple-icd-10-cm: `make codes`. Not used while the application runs.

ICD-10-CM is published by the United States government (CDC/NCHS) and free to use. The package reads its tabular XML, which takes 190 MB
and over a second; the application reads one small file instead: a line naming the release, then code, title and words by which it is also
known, separated by tabs, one billable code on a line.
"""

from __future__ import annotations

import lzma
import re
import sys
from pathlib import Path


def rows() -> list[tuple[str, str, str]]:
    """Code, title, and further words (inclusion terms of the code itself and of its category), by code."""
    import simple_icd_10_cm as icd

    found = []
    for code in icd.get_all_codes(with_dots=True):
        if not icd.is_leaf(code):
            continue
        title = " ".join(icd.get_description(code).split())
        category = code.split(".", maxsplit=1)[0]
        terms = [*icd.get_inclusion_term(code), *icd.get_includes(category), *icd.get_inclusion_term(category)]
        more = dict.fromkeys(" ".join(term.split()) for term in terms if term.casefold() != title.casefold())
        found.append((code, title, "; ".join(more)))
    return sorted(set(found))  # a block of one code is listed beside it


def release() -> str:
    """The release the installed package holds, in words: `April 2026`."""
    from importlib.resources import files

    names = [entry.name for entry in files("simple_icd_10_cm").joinpath("data").iterdir()]
    found = next(match for match in (re.fullmatch(r"code-list-(\w+)-(\d{4})\.txt", name) for name in names) if match)
    return f"{found.group(1)} {found.group(2)}"


def write(path: Path) -> int:
    """Write the file; how many codes it has. The same package gives the same bytes."""
    found = rows()
    lines = [f"ICD-10-CM, release {release()}", *("\t".join(row) for row in found)]
    path.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))
    return len(found)


if __name__ == "__main__":
    sys.stdout.write(f"{write(Path(sys.argv[1])):,} codes\n")
