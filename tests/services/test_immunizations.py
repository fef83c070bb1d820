"""Immunizations: dates as exact as they are known, not done in words, never changed, imported once, on the time axis."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed
from clinicdesk.rules.partial_dates import parse_partial, partial_text
from clinicdesk.services import attachments, chart, immunizations, timeline
from clinicdesk.services.attachments import NewAttachment
from clinicdesk.services.immunizations import NewImmunization
from tests.clinics import Practice
from tests.services.test_attachments import patient_of_dora
from tests.visiting import as_owner

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(("typed", "day", "precision", "shown"), [
    ("2019", date(2019, 1, 1), "year", "2019"), ("11/2019", date(2019, 11, 1), "month", "Nov-2019"),
    ("Nov 2019", date(2019, 11, 1), "month", "Nov-2019"), ("may-2019", date(2019, 5, 1), "month", "May-2019"),
    ("2019-11", date(2019, 11, 1), "month", "Nov-2019"), ("21-Nov-2019", date(2019, 11, 21), "day", "21-Nov-2019"),
    ("2019-11-21", date(2019, 11, 21), "day", "21-Nov-2019")])
def test_dates_as_exact_as_they_are_known(typed: str, day: date, precision: str, shown: str) -> None:
    assert parse_partial(typed, TODAY, "given") == (day, precision)
    assert partial_text(day, precision) == shown
    assert partial_text(None, "day") == "Date not known"


@pytest.mark.parametrize("typed", ["2027", "12/2026", "13/2019", "1700", "0000", "Foo 2019", "sometime", "03/04/2019", "22-Nov-2026"])
def test_what_is_no_date_of_the_past_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_partial(typed, TODAY, "given")
    assert refused.value.field == "given" and "birth" not in refused.value.sentence


def add(practice: Practice, patient: str, *args: Any, **more: Any) -> Any:
    with practice.write("dora") as session:
        return immunizations.add(session, patient, NewImmunization(*args, **more))


def test_given_reported_and_not_done_in_words(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    add(practice, patient, "Tetanus", "2020-02-03", dose_number="2", lot="A12", site="left upper arm", route="into the muscle",
        given_by="Dr Dora Kim")
    add(practice, patient, "Measles", "1985", source="reported")
    add(practice, patient, "Influenza", "Oct 2025", reason="refused")
    add(practice, patient, "Typhoid", "Oct 2024", reason="other", note="Journey cancelled")
    add(practice, patient, "Polio", source="reported")
    with practice.read("dora") as session:
        found = {row.vaccine: row.line for row in chart.chart(session, patient).immunizations}
    assert list(found) == ["Influenza", "Typhoid", "Tetanus", "Measles", "Polio"]
    assert found["Tetanus"] == "03-Feb-2020 · dose 2 · lot A12 · left upper arm, into the muscle · given here by Dr Dora Kim"
    assert found["Measles"] == "1985 · reported"
    assert found["Influenza"] == "NOT GIVEN, Oct-2025: refused"
    assert found["Typhoid"] == "NOT GIVEN, Oct-2024: another reason · Journey cancelled"
    assert found["Polio"] == "Date not known · reported"
    assert b"Journey" not in bytes(as_owner(practice, "select note from clinic.immunizations where note is not null")[0][0])


@pytest.mark.parametrize(("more", "field"), [
    ({"vaccine": " "}, "vaccine"), ({"given": ""}, "given"), ({"given": "1979"}, "given"), ({"given": "2999"}, "given"),
    ({"dose_number": "0"}, "dose_number"), ({"dose_number": "two"}, "dose_number"), ({"cvx": "flu"}, "cvx"), ({"reason": "x"}, "reason"),
    ({"reason": "other"}, "note"),
    ({"note": "x" * 501}, "note"), ({"lot": "x" * 41}, "lot"), ({"reason": "refused", "given": ""}, "given")])
def test_what_is_wrong_is_said_at_its_field(practice: Practice, more: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(practice, patient_of_dora(practice), **{"vaccine": "Tetanus", "given": "2020", **more})
    assert refused.value.field == field


def test_a_wrong_entry_stays_and_says_so(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    number = add(practice, patient, "Tetanus", "2020")
    with practice.write("dora") as session:
        immunizations.mark_wrong(session, number, 1)
    with practice.write("dora") as session, pytest.raises(ChangedElsewhere):
        immunizations.mark_wrong(session, number, 1)
    with practice.read("dora") as session:
        assert immunizations.of_patient(session, patient)[0].line.startswith("ENTERED IN ERROR")
    for who in ("hugo", "rita"):
        with practice.write(who) as session, pytest.raises(NotAllowed):
            immunizations.mark_wrong(session, number, 2)


def test_documents_and_immunizations_stand_on_the_time_axis(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    add(practice, patient, "Tetanus", "2020")
    add(practice, patient, "Polio", source="reported")
    wrong = add(practice, patient, "Measles", "2021")
    with practice.write("dora") as session:
        immunizations.mark_wrong(session, wrong, 1)
        kept = attachments.add(session, NewAttachment(patient, "Letter", b"words"))
        attachments.withdraw(session, attachments.add(session, NewAttachment(patient, "Wrong", b"words")), "another patient")
    with practice.read("dora") as session:
        events = timeline.history(session, patient).events
    assert [(e.kind, e.title, e.ref) for e in events if e.kind == "document"] == [("document", "Text: Letter", kept)]
    assert [e.title for e in events if e.kind == "immunization"] == ["Tetanus, 2020 · given here"]
