"""The identity fields of two records that are merged: which differ, what is taken over, and what stood there before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services.people import PatientForm

#: Field of the form → what a person calls it. The emergency contact is one choice.
FIELDS: Final = {
    "first_name": "First name", "last_name": "Last name", "title": "Title", "born": "Date of birth", "sex": "Sex", "phone": "Phone",
    "email": "E-mail", "address": "Address", "ssn": "Social security no.", "emergency": "Emergency contact", "added_note": "Note",
    "about_note": "About",
}
_EMERGENCY: Final = ("emergency_name", "emergency_relation", "emergency_phone")


def taken(other: PatientForm, names: Collection[str]) -> dict[str, Any]:
    unknown = set(names) - FIELDS.keys()
    if unknown:
        raise ValueError(f"no such fields: {sorted(unknown)}")
    parts = [part for name in names for part in (_EMERGENCY if name == "emergency" else (name,))]
    return {one: getattr(other, one) for one in parts}


def plain(form: PatientForm) -> dict[str, Any]:
    """A form as JSON keeps it."""
    names = [part for name in FIELDS for part in (_EMERGENCY if name == "emergency" else (name,))]
    return {name: getattr(form, name) for name in names} | {"tags": sorted(form.tags)}


def form_of_plain(plain: Mapping[str, Any]) -> PatientForm:
    return PatientForm(**{**plain, "tags": tuple(plain["tags"])})


def part(plain: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    return tuple(plain[part] for part in _EMERGENCY) if name == "emergency" else (plain[name],)


def said(form: PatientForm, name: str) -> str:
    return said_plain(plain(form), name)


def said_plain(plain: Mapping[str, Any], name: str) -> str:
    """A field as a person reads it."""
    if name == "born":
        return clinical_date(date.fromisoformat(plain["born"]))
    return " · ".join(words for words in part(plain, name) if words)


def values_of(form: PatientForm) -> dict[str, object]:
    """What `patients.store_changed` writes. The values were stored before: they are not checked again, so that an old record with a
    limit of today (no telephone, say) does not stop a merge half way."""
    contact = {"name": form.emergency_name, "relation": form.emergency_relation, "phone": form.emergency_phone}
    return {
        "first_name": form.first_name, "last_name": form.last_name, "title": form.title, "born": date.fromisoformat(form.born),
        "sex": form.sex, "phone": form.phone or None, "email": form.email, "address": form.address,
        "contact": contact if form.emergency_name else None, "tags": tuple(form.tags),
        "sealed": {"ssn": form.ssn, "added_note": form.added_note, "about_note": form.about_note},
    }


def before_merge(now: dict[str, Any], told: Mapping[str, Any], take_back: Collection[str]) -> dict[str, Any]:
    """The kept record's form as it was, but for what was changed since and shall stay."""
    before, after = told["kept_before"], told["kept_after"]
    found = dict(now)
    for name in FIELDS:
        if part(now, name) == part(after, name) or name in take_back:
            found.update({one: before[one] for one in (_EMERGENCY if name == "emergency" else (name,))})
    added, removed = set(after["tags"]) - set(before["tags"]), set(before["tags"]) - set(after["tags"])
    found["tags"] = sorted((set(now["tags"]) - added) | removed)
    return found
