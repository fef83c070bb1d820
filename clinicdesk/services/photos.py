"""A patient's photo: any picture in, a small JPEG without anything else in it out, sealed with the identity key (FEATURES 2.9)."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import delete, select

from clinicdesk.errors import Invalid
from clinicdesk.models.register import Photo
from clinicdesk.services.sealing import IDENTITY, key_of, seal_number
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, seal, unseal

#: The longer side of a stored photo in pixels.
SIDE: Final = 512
#: A larger picture is no photo of a face but somebody's attempt to fill the memory.
MOST_PIXELS: Final = 60_000_000
MOST_BYTES: Final = 60_000_000


def small_jpeg(content: bytes) -> bytes:
    """The picture upright, at most SIDE pixels, as a JPEG of its pixels alone: no place, no camera, no name. By content, not by file name.

    Raises Invalid for anything that is not a PNG or JPEG picture.
    """
    if len(content) > MOST_BYTES:
        raise Invalid("photo", "This file is too large for a photo.")
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Invalid("photo", "This picture is too large for a photo.")
            opened.draft("RGB", (SIDE * 2, SIDE * 2))
            upright = ImageOps.exif_transpose(opened)
            if upright.mode in {"P", "PA", "1"}:
                upright = upright.convert("RGBA")
            upright.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            flat = Image.new("RGB", upright.size, "white")
            flat.paste(upright, mask=upright.convert("RGBA").getchannel("A") if upright.has_transparency_data else None)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Invalid("photo", "This is not a picture. Choose a PNG or JPEG file.") from error
    written = io.BytesIO()
    flat.save(written, "JPEG", quality=86, optimize=True)
    return written.getvalue()


def put(session: ClinicSession, patient_id: str, content: bytes) -> bytes | None:
    """Keep this picture as the patient's photo; gives the one it replaces, None when there was none. Invalid when it is no picture."""
    picture = small_jpeg(content)
    before = remove(session, patient_id)
    number = seal_number()
    sealed = seal(key_of(session, patient_id, IDENTITY), picture, _place(patient_id, number))
    with session.attempt():
        session.add(Photo(patient_id=patient_id, body=sealed, seal_number=number, added_by=session.my_id))
        session.flush()
    return before


def remove(session: ClinicSession, patient_id: str) -> bytes | None:
    """Take the photo away; gives it, so that it can be put back."""
    before = of(session, patient_id)
    if before is not None:
        with session.attempt():
            session.execute(delete(Photo).where(Photo.patient_id == patient_id))
    return before


def of(session: ClinicSession, patient_id: str) -> bytes | None:
    """The patient's photo as a JPEG, None without one or for who may not see it."""
    found = session.execute(select(Photo.body, Photo.seal_number).where(Photo.patient_id == patient_id)).one_or_none()
    if found is None:
        return None
    return unseal(key_of(session, patient_id, IDENTITY), found.body, _place(patient_id, found.seal_number))


def _place(patient_id: str, number: int) -> Place:
    return Place(patient_id, "photos", "photo", number)
