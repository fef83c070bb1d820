"""What a file is, by its content alone: PDF, PNG, JPEG or plain text, whole and readable. Its name is shown and never believed."""

from __future__ import annotations

import io
import re
from typing import Final

import filetype
from PIL import Image, UnidentifiedImageError

from clinicdesk.errors import Invalid
from clinicdesk.pdf.opening import BadPdf, page_count

#: Kind → what a person calls it.
KINDS: Final = {"pdf": "PDF", "png": "Picture (PNG)", "jpeg": "Picture (JPEG)", "text": "Text"}
SUFFIXES: Final = {"pdf": "pdf", "png": "png", "jpeg": "jpg", "text": "txt"}
#: 25 MB, counted as file managers that count in 1,024s do; those that count in 1,000s stay below.
MOST_BYTES: Final = 25 * 1024 * 1024
TOO_LARGE: Final = "This file is larger than 25 MB."
#: A larger picture is somebody's attempt to fill the memory; a whole-slide scan belongs elsewhere.
MOST_PIXELS: Final = 60_000_000
_BY_MIME: Final = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpeg"}
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_REFUSED: Final = "Only PDF, PNG, JPEG and plain text files can be attached; by its content this is none of them."

_TOO_MANY: Final = "This picture has too many pixels; save it smaller first."


def check_size(size: int) -> None:
    """Invalid for an empty or too large file; ask before reading it."""
    if size == 0:
        raise Invalid("file", "This file is empty.")
    if size > MOST_BYTES:
        raise Invalid("file", TOO_LARGE)


def kind_of(content: bytes) -> str:
    """Which of KINDS this is. Invalid `file` with one sentence for anything else, and for what is empty, too large, cut off or damaged.

    Any thread; up to a second for the largest pictures.
    """
    check_size(len(content))
    found = filetype.guess(content[:8192])
    kind = _BY_MIME.get(found.mime if found else "", "")
    if kind == "pdf":
        try:
            page_count(content)
        except BadPdf as error:
            raise Invalid("file", str(error)) from error
        return kind
    if kind:
        _check_picture(content, "PNG" if kind == "png" else "JPEG")
        return kind
    if found is None and decoded(content) is not None:
        return "text"
    raise Invalid("file", _REFUSED)


def decoded(content: bytes) -> str | None:
    """The text of a text file (UTF-8, else Latin-1); None when it holds control characters and so is no text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return None if _CONTROL.search(text) else text


def _check_picture(content: bytes, shape: str) -> None:
    try:
        with Image.open(io.BytesIO(content), formats=(shape,)) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Invalid("file", _TOO_MANY)
            opened.draft("L", (1, 1))  # a JPEG is read to its end without unpacking every pixel of it
            opened.load()
    except Image.DecompressionBombError as error:
        raise Invalid("file", _TOO_MANY) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Invalid("file", "This picture is damaged or not complete.") from error
