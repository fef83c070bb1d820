"""From typed vitals to a checked set of measurements, and back to what a chart shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from sqlalchemy import select

from clinicdesk.errors import Invalid
from clinicdesk.models.accounts import User
from clinicdesk.models.clinical import Vitals
from clinicdesk.rules.news2 import CONSCIOUSNESS, News2Inputs, News2Score, news2
from clinicdesk.rules.vitals import (
    VITALS,
    Reading,
    bmi,
    bmi_class,
    check_height_change,
    check_pressure,
    check_vital,
    check_weight_change,
    parse_vital,
)
from clinicdesk.services.drafts import ConsultationDraft
from clinicdesk.services.person import of_person
from clinicdesk.storage.database import ClinicSession

#: Columns of `vitals` that are typed numbers, in the order of the form.
MEASURED = ("systolic", "diastolic", "pulse", "temperature", "respiration", "spo2", "oxygen_flow", "height", "weight", "pain", "glucose",
            "head_circumference", "gcs")


@dataclass(frozen=True, slots=True)
class VitalsSet:
    """One set of measurements; units as in `models.clinical.Vitals`. `recorded_by` is empty for imported sets."""

    taken_at: datetime
    values: dict[str, Decimal]
    oxygen: bool | None
    spo2_scale: int
    consciousness: str
    recorded_by: str = ""

    @property
    def bmi(self) -> Decimal | None:
        """Body mass index in kg/m², unrounded, when height and weight are both there."""
        if "height" in self.values and "weight" in self.values:
            return bmi(self.values["height"], self.values["weight"])
        return None

    def bmi_class(self, age_years: int | None) -> str:
        """The WHO class, empty under 18 years or without a value."""
        return (bmi_class(self.bmi, age_years) or "") if self.bmi is not None else ""

    def news2(self, age_years: int | None) -> News2Score:
        """NEWS2 of this set alone: never from values of another time."""
        scale: Literal[1, 2] = 2 if self.spo2_scale == 2 else 1
        v = self.values
        return news2(
            News2Inputs(
                respiration=v.get("respiration"),
                spo2=v.get("spo2"),
                on_oxygen=self.oxygen,
                systolic=v.get("systolic"),
                pulse=v.get("pulse"),
                consciousness=self.consciousness or None,
                temperature=v.get("temperature"),
                scale=scale,
            ),
            age_years,
        )


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was measured last: height in cm, weight in kg and when."""

    height: Decimal | None = None
    weight: Decimal | None = None
    weighed_at: datetime | None = None


NOTHING: Final = Earlier()


def earlier_of(sets: Sequence[VitalsSet]) -> Earlier:
    """Out of measurements, newest first."""
    height = next((one.values["height"] for one in sets if "height" in one.values), None)
    weighed = next((one for one in sets if "weight" in one.values), None)
    return Earlier(height, weighed.values["weight"] if weighed else None, weighed.taken_at if weighed else None)


def earlier(session: ClinicSession, patient_id: str) -> Earlier:
    """The last height and weight of a patient; two index reads."""
    def last(column: Any) -> Any:
        return session.execute(
            select(column, Vitals.taken_at)
            .where(of_person(Vitals.patient_id, patient_id), column.is_not(None))
            .order_by(Vitals.taken_at.desc(), Vitals.id.desc())
            .limit(1)
        ).one_or_none()

    height, weight = last(Vitals.height), last(Vitals.weight)
    return Earlier(height[0] if height else None, weight[0] if weight else None, weight[1] if weight else None)


def _judged(name: str, value: Decimal, age_years: int | None, before: Earlier, at: datetime) -> Reading:
    """A value against its limits, and a height or weight against the last one."""
    reading = check_vital(name, value, age_years)
    if reading.level == "ok" and name == "height" and before.height is not None:
        return check_height_change(before.height, value, age_years)
    if reading.level == "ok" and name == "weight" and before.weight is not None and before.weighed_at is not None:
        return check_weight_change(before.weight, value, max(0, (at - before.weighed_at).days))
    return reading


def readings(draft: ConsultationDraft, age_years: int | None, before: Earlier, at: datetime) -> dict[str, Reading]:
    """For each typed vital how it stands against its limits and the last one; a text that is no number is a hard reading."""
    found: dict[str, Reading] = {}
    for name, text in draft.vitals.items():
        if text.strip() and name in VITALS:
            try:
                found[name] = _judged(name, parse_vital(name, text), age_years, before, at)
            except Invalid as refusal:
                found[name] = Reading("hard", refusal.sentence)
    return found


def checked(draft: ConsultationDraft, taken_at: datetime, age_years: int | None, before: Earlier = NOTHING) -> VitalsSet | None:
    """The measurements of a draft, None when nothing was measured.

    Raises Invalid naming the field for a hard limit, for a soft limit nobody confirmed, and for half a blood pressure.
    """
    values: dict[str, Decimal] = {}
    for name, text in draft.vitals.items():
        if not text.strip() or name not in MEASURED:
            continue
        value = parse_vital(name, text)
        reading = _judged(name, value, age_years, before, taken_at)
        if reading.level == "hard" or (reading.level == "soft" and name not in draft.confirmed):
            raise Invalid(name, reading.sentence)
        values[name] = value
    if ("systolic" in values) != ("diastolic" in values):
        missing = "diastolic" if "systolic" in values else "systolic"
        raise Invalid(missing, "Blood pressure needs both values.")
    if "systolic" in values:
        pressure = check_pressure(values["systolic"], values["diastolic"])
        if pressure.level == "hard" or (pressure.level == "soft" and "pressure" not in draft.confirmed):
            raise Invalid("systolic", pressure.sentence)
    if "spo2" in values and draft.oxygen is None:
        raise Invalid("oxygen", "Say whether the saturation was measured on air or on oxygen.")
    if draft.consciousness and draft.consciousness not in CONSCIOUSNESS:
        raise Invalid("consciousness", "Choose one of the list.")
    if not values and not draft.consciousness:
        return None
    return VitalsSet(taken_at, values, draft.oxygen, draft.spo2_scale, draft.consciousness)


def store(session: ClinicSession, patient_id: str, consultation_id: int, measured: VitalsSet, confirmed: tuple[str, ...]) -> None:
    """Write a checked set."""
    row = Vitals(
        patient_id=patient_id,
        consultation_id=consultation_id,
        taken_at=measured.taken_at,
        recorded_by=session.my_id,
        oxygen=measured.oxygen,
        spo2_scale=measured.spo2_scale,
        consciousness=measured.consciousness or None,
        confirmed=" ".join(confirmed),
        **measured.values,
    )
    with session.attempt():
        session.add(row)
        session.flush()


def history(session: ClinicSession, patient_id: str, limit: int = 200, since: date | None = None) -> list[VitalsSet]:
    """Measurements of a patient, newest first."""
    query = (
        select(Vitals, User.name)
        .outerjoin(User, User.id == Vitals.recorded_by)
        .where(of_person(Vitals.patient_id, patient_id))
        .order_by(Vitals.taken_at.desc(), Vitals.id.desc())
        .limit(limit)
    )
    if since is not None:
        query = query.where(Vitals.taken_at >= since)
    found = []
    for row, name in session.execute(query):
        values = {column: Decimal(getattr(row, column)) for column in MEASURED if getattr(row, column) is not None}
        found.append(VitalsSet(row.taken_at, values, row.oxygen, row.spo2_scale, row.consciousness or "", name or ""))
    return found
