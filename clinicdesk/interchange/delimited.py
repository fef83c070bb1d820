"""Reading delimited text of any size, plain or gzip'd, so that one bad line never stops the good ones.

Nothing here knows patients. A file is read line by line; what cannot be used becomes a `Refusal` with file, line and reason.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

#: A longer line means the file is not a table; it is never read into memory whole.
LONGEST_LINE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """One line that was not taken: the file's name, the line (1 is the header, 0 the file as a whole) and why, in a sentence."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line of a table: where it stands and its values by column name (trimmed)."""

    file: str
    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The trimmed value; empty when the file has no such column."""
        return self.values.get(column, "")

    def refused(self, reason: str) -> Refusal:
        """A refusal of this line."""
        return Refusal(self.file, self.line, reason)


def harmless(text: str) -> str:
    """A cell for a table that a spreadsheet opens: it must not take somebody's words for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t"} else text


def find(folder: Path, name: str) -> Path | None:
    """`name` or `name.gz` in the folder, whatever its case; None when there is neither."""
    try:
        files = {path.name.lower(): path for path in folder.iterdir() if path.is_file()}
    except OSError:
        return None
    return files.get(name.lower()) or files.get(f"{name.lower()}.gz")


def approximate_size(path: Path) -> int:
    """Bytes of the text, estimated for gzip'd files."""
    return path.stat().st_size * (8 if path.suffix == ".gz" else 1)


def read_table(path: Path, required: Sequence[str]) -> Iterator[TableRow | Refusal]:
    """Every line of the table as a row or a refusal. An unusable file (empty, wrong columns, not text) gives exactly one refusal."""
    name = path.name
    try:
        with _opened(path) as stream:
            yield from _rows(name, stream, required)
    except _LineTooLongError as problem:
        yield Refusal(name, problem.line, f"This file has a line of more than {LONGEST_LINE:,} characters: it is not a table of values.")
    except (OSError, EOFError, zlib.error) as problem:
        reason = "is damaged" if isinstance(problem, (EOFError, zlib.error, gzip.BadGzipFile)) else "cannot be read"
        yield Refusal(name, 0, f"The file {reason}; what stands before the damage was read.")


class _LineTooLongError(Exception):
    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _lines(stream: IO[str]) -> Iterator[str]:
    number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise _LineTooLongError(number)
        yield line


def _rows(name: str, stream: IO[str], required: Sequence[str]) -> Iterator[TableRow | Refusal]:
    reader = csv.reader(_lines(stream))
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as problem:
            yield Refusal(name, reader.line_num, f"This line cannot be read as a table: {problem}.")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = [cell.strip().upper() for cell in cells]
            if absent := [column for column in required if column not in header]:
                yield Refusal(name, 1, f"Columns are missing: {', '.join(absent)}. The first line must name them.")
                return
        elif len(cells) != len(header):
            yield Refusal(name, reader.line_num, f"This line has {len(cells)} values, the first line names {len(header)} columns.")
        elif any("\ufffd" in cell or "\x00" in cell for cell in cells):
            yield Refusal(name, reader.line_num, "This line holds characters that are not UTF-8 text.")
        else:
            yield TableRow(name, reader.line_num, {h: cell.strip() for h, cell in zip(header, cells, strict=True)})
    if header is None:
        yield Refusal(name, 0, "The file is empty.")
