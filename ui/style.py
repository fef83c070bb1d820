"""The one style sheet, `resources/style.qss`, filled in from the tokens of a scheme. Variants are dynamic properties, so that
code names what a widget is:

`variant` of a button: primary, quiet, danger, link · `invalid` of a field: true · `role` of a label: title, soft, faint, error, label,
value, display · `card` of a frame: surface, sunken. The check marks and arrows are small SVG files written from the same tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.theme import Tokens

_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">{}</svg>'
_STROKE = '<path d="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linecap="round" stroke-linejoin="round"/>'


def marks(t: Tokens) -> dict[str, str]:
    """File name → SVG text of the marks the style sheet refers to."""
    check, chevron = "M3.5 8.5 L6.8 11.6 L12.5 5", "M4.5 6.5 L8 10 L11.5 6.5"
    return {
        "check.svg": _SVG.format(_STROKE.format(check, t.on_accent, 2.2)),
        "check_disabled.svg": _SVG.format(_STROKE.format(check, t.text_faint, 2.2)),
        "partial.svg": _SVG.format(_STROKE.format("M4 8 L12 8", t.on_accent, 2.2)),
        "radio.svg": _SVG.format(f'<circle cx="8" cy="8" r="3.5" fill="{t.on_accent}"/>'),
        "down.svg": _SVG.format(_STROKE.format(chevron, t.text_soft, 1.6)),
        "down_disabled.svg": _SVG.format(_STROKE.format(chevron, t.outline, 1.6)),
        "up.svg": _SVG.format(_STROKE.format("M4.5 9.5 L8 6 L11.5 9.5", t.text_soft, 1.6)),
        "left.svg": _SVG.format(_STROKE.format("M9.5 4.5 L6 8 L9.5 11.5", t.text_soft, 1.6)),
        "right.svg": _SVG.format(_STROKE.format("M6.5 4.5 L10 8 L6.5 11.5", t.text_soft, 1.6)),
    }


def mix(over: str, under: str, share: float) -> str:
    """`share` of one colour laid over another, as `#RRGGBB`."""
    pairs = ((int(over[i:i + 2], 16), int(under[i:i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02X}" for a, b in pairs)


def style_sheet(t: Tokens, sizes: Mapping[str, int], folder: Path, template: Path) -> str:
    """The style sheet of one scheme from its template; `sizes` in px, `folder` holds the marks."""
    url = folder.as_posix()
    names = {
        **{name: getattr(t, name) for name in type(t).__slots__ if name != "status"}, **sizes,
        "hover": mix(t.text, t.surface, 0.05), "pressed": mix(t.text, t.surface, 0.10), "accent_hover": mix(t.text, t.accent, 0.16),
        "danger_soft": t.status["no_show"][1], "warning_soft": t.status["arrived"][1], "danger_hover": mix(t.text, t.danger, 0.16),
        "line_soft": mix(t.line, t.surface, 0.6),
        "rail": t.sunken, "rail_hover": mix(t.text, t.sunken, 0.06), "check": f"{url}/check.svg", "check_off": f"{url}/check_disabled.svg",
        "partial": f"{url}/partial.svg", "radio": f"{url}/radio.svg", "down": f"{url}/down.svg", "down_off": f"{url}/down_disabled.svg",
        "up": f"{url}/up.svg", "left": f"{url}/left.svg", "right": f"{url}/right.svg", "scroll": mix(t.outline, t.surface, 0.45),
    }
    sheet = template.read_text(encoding="utf-8")
    for name in sorted(names, key=len, reverse=True):
        sheet = sheet.replace(f"@{name}@", str(names[name]))
    return sheet
