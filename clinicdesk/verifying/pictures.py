"""Codes in pictures: the only user of zxing-cpp."""

from __future__ import annotations

import io
from collections.abc import Iterable

import zxingcpp
from PIL import Image, UnidentifiedImageError

from clinicdesk.rules.codes import PREFIX

#: A scan is refused above this, before it fills the memory: A3 at 600 dpi.
_MOST_DOTS = 75_000_000


class NoPicture(ValueError):
    """Bytes that are no picture we read."""


def opened(data: bytes) -> Image.Image:
    """A PNG, JPEG or TIFF in grey; NoPicture otherwise."""
    try:
        picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "TIFF", "BMP", "WEBP"))
        if picture.width * picture.height > _MOST_DOTS:
            raise NoPicture("too large")
        return picture.convert("L")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise NoPicture("no picture") from error


def codes_in(pictures: Iterable[Image.Image], prefix: str = PREFIX) -> list[str]:
    """The ClinicDesk codes on these pages, in reading order, each once; a page that shows none is tried again enlarged.

    `prefix` says which codes: those of signed papers, unless told otherwise.
    """
    found: list[str] = []
    for picture in pictures:
        seen = _read(picture, prefix)
        if not seen and max(picture.size) < 3000:
            seen = _read(picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC), prefix)
        found += [code for code in seen if code not in found]
    return found


def _read(picture: Image.Image, prefix: str) -> list[str]:
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [code.text for code in found if code.text.startswith(prefix)]
