"""Tall-man letters for medicines whose names look alike (reference clinical-safety R31). For showing only: never store or search these.

First block: the FDA-approved list; second: names added by ISMP. Evidence is mixed; this is one layer among several.
"""

from __future__ import annotations

import re
from typing import Final

_FDA: Final = """
acetaZOLAMIDE acetoHEXAMIDE buPROPion busPIRone CARBOplatin CISplatin chlorproMAZINE chlorproPAMIDE clomiPHENE clomiPRAMINE cycloSERINE
cycloSPORINE DAUNOrubicin DOXOrubicin dimenhyDRINATE diphenhydrAMINE DOBUTamine DOPamine glipiZIDE glyBURIDE hydrALAZINE hydrOXYzine
medroxyPROGESTERone methylPREDNISolone methylTESTOSTERone niCARdipine NIFEdipine predniSONE prednisoLONE sulfADIAZINE sulfiSOXAZOLE
TOLAZamide TOLBUTamide vinBLAStine vinCRIStine
"""
_ISMP: Final = """
ALPRAZolam LORazepam clonazePAM amLODIPine aMILoride azaTHIOprine azaCITIDine ceFAZolin cefTRIAXone cloNIDine ePHEDrine EPINEPHrine
fentaNYL SUFentanil FLUoxetine DULoxetine PARoxetine guaiFENesin guanFACINE HYDROmorphone metFORMIN metroNIDAZOLE OXcarbazepine
carBAMazepine oxyCODONE PENTobarbital PHENobarbital QUEtiapine OLANZapine quiNINE quiNIDine riTUXimab inFLIXimab
"""
TALL_MAN: Final = {name.lower(): name for name in (*_FDA.split(), *_ISMP.split())}


def tall_man(name: str) -> str:
    """The name with tall-man letters where its words are on the list, else unchanged."""
    return re.sub(r"[A-Za-z]+", lambda m: TALL_MAN.get(m.group().lower(), m.group()), name)
