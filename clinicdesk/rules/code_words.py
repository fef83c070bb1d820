"""Text made short for a printed code: common phrases as one or two control bytes, then deflate. The tables belong to version CD1."""

from __future__ import annotations

import re
import zlib
from typing import Final

_ONE: Final = (
    "\x1fDTake ", " by mouth ", "\x1foby mouth\x1fy", "three times a day", "once a day", "twice a day", "four times a day",
    " tablet", "\x1fFtablet\x1fd", "\x1fFcapsule\x1fd", " for 7 days.", " for 28 days.", " for ", " days.", " mg", " mL", " micrograms",
    "\x1fx", "\x1fi", "\x1fQ", "\x1fR", "\x1fu", "every ", " hours", "\x1fI", "\x1fm", "\x1fS", "\x1fd",
)
_TWO: Final = (
    " units", "0 mg", "00 mg", "\x1fDInject ", "\x1fDGive ", "\x1fDApply ", "\x1fDInhale ", "\x1fDPut ", "\x1fDUse ", " into a muscle",
    "\x1foinjected into a muscle\x1fy", " under the skin", "\x1foinjected under the skin\x1fy", " into a vein",
    "\x1foinfusion into a vein\x1fy", " by infusion into a vein", "\x1foinhaled\x1fy", "\x1foon the skin\x1fy", " to the skin",
    "\x1fointo both eyes\x1fy", " into each eye", "as needed", " as needed for ", "up to ", " Wait at least ", " hours between doses.",
    " No more than ", " in 24 hours.", "once only", " on Monday", " on Tuesday", " on Wednesday", " on Thursday", " on Friday", " and ",
    "every other day", "once a week", "five times a day", "six times a day", "\x1fFcream\x1fd", "\x1fFointment\x1fd", "\x1fFinhaler\x1fd",
    "\x1fFsolution for injection\x1fd", "\x1fFsolution for infusion\x1fd", "\x1fForal suspension\x1fd", "\x1fForal solution\x1fd",
    "\x1fFprefilled pen\x1fd", "\x1fFeye drops\x1fd", "\x1fFgastro-resistant tablet\x1fd",
    " per kg", " per mL", " per puff", " per hour over ",
    " minutes", " application", " puff", "Change the place each time.", "with food.", "Finish the whole course.", "Avoid alcohol",
    " while you take this medicine.", "high blood pressure", "infection", "\x1fsFemale\x1frp_", "\x1fsMale\x1frp_",
    "\x1faNo known allergies\x1fc", "\x1faKnown allergies\x1fl", "\x1faAllergies not recorded\x1fc", "\x1faAllergies unavailable\x1fc",
    "penicillin", ": rash", "; ", "\x1fpDr ", "\x1fq", " kg\x1fa", "(one hundred", "twenty", "thirty", "forty", "fifty", "sixty",
    "seventy", "eighty", "ninety", "teen)", "one)", "two)", "three)", "four)", "five)", "six)", "seven)", "eight)", "nine)", "(ten)",
)
_ESCAPE: Final = "\x01"
_MARKS: Final = [chr(n) for n in range(2, 0x1F) if chr(n) != "\n"]
_SHORT: Final[dict[str, str]] = {**dict(zip(_ONE, _MARKS, strict=True)), **{words: _ESCAPE + chr(0x20 + n) for n, words in enumerate(_TWO)}}
_LONG: Final = {mark: words for words, mark in _SHORT.items()}
_PHRASE: Final = re.compile("|".join(re.escape(words) for words in sorted(_SHORT, key=len, reverse=True)))
_MARK: Final = re.compile("\x01.|[\x02-\x09\x0b-\x1e]", re.DOTALL)
#: What comes often and is no phrase, the most frequent last, for deflate to reach with short distances.
_DICTIONARY: Final = (b"aspirincetirizineprednisolonelosartandoxycyclinefurosemideinsulindiclofenaccefuroxime"
                      b"ramiprilsimvastatinatorvastatinomeprazolemetforminlevothyroxineibuprofensalbutamolparacetamolamlodipineamoxicillin")
_LONGEST: Final = 20_000


def packed(text: str) -> bytes:
    """The text in few bytes."""
    short = _PHRASE.sub(lambda m: _SHORT[m.group()], text).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return packer.compress(short) + packer.flush()


def unpacked(data: bytes) -> str:
    """The text again; ValueError when the bytes were not made by `packed`."""
    opener = zlib.decompressobj(-15, _DICTIONARY)
    try:
        short = opener.decompress(data, _LONGEST)
    except zlib.error as error:
        raise ValueError("cannot be opened") from error
    if not opener.eof or opener.unused_data:
        raise ValueError("does not end where it should")
    return _MARK.sub(lambda m: _LONG[m.group()] if m.group() in _LONG else _unknown(), short.decode())


def _unknown() -> str:
    raise ValueError("an unknown phrase")
