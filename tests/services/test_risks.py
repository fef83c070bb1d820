"""Allergies and problems: reactions in one spelling, corrected, ended with a reason, asked again after a year, free text said."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from clinicdesk.errors import ChangedElsewhere, ClinicError, Invalid, NotAllowed
from clinicdesk.services import chart, risks, timeline
from clinicdesk.services.risks import AllergyForm, ProblemForm
from tests.clinics import Practice
from tests.services.test_attachments import patient_of_dora
from tests.visiting import as_owner


def write(practice: Practice, service: Any, *args: Any, who: str = "dora", **more: Any) -> Any:
    with practice.write(who) as session:
        return service(session, *args, **more)


def read(practice: Practice, patient: str) -> chart.Chart:
    with practice.read("dora") as session:
        return chart.chart(session, patient)


@pytest.mark.parametrize(("typed", "kept"), [
    ("rash", "rash"), ("rash and fever", "rash + fever"), ("rash+fever , vomiting", "rash + fever, vomiting"),
    ("rash, vomiting and fever;itching", "rash, vomiting + fever, itching"), ("rash & rash", "rash"), (" , ", ""),
    ("sandy skin", "sandy skin")])
def test_reactions_together_and_apart(typed: str, kept: str) -> None:
    assert risks.reactions(typed) == kept


def test_an_allergy_is_recorded_corrected_confirmed_and_ended(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    number = write(practice, risks.add_allergy, patient, AllergyForm("Penicillin", "allergy", "rash and fever, vomiting", "severe",
                                                                    "3-Feb-2019", "patient"))
    row = read(practice, patient).allergies[0]
    assert (row.reaction, row.severity, row.source, row.verification, str(row.noted_on)) == (
        "rash + fever, vomiting", "severe", "patient", "unconfirmed", "2019-02-03")
    write(practice, risks.change_allergy, number, 1, AllergyForm("penicillin V", "intolerance", "rash", verification="confirmed"))
    with pytest.raises(ChangedElsewhere):
        write(practice, risks.change_allergy, number, 1, AllergyForm("penicillin G"))
    with pytest.raises(Invalid, match="Say why"):
        write(practice, risks.end_allergy, number, 2, " ")
    write(practice, risks.end_allergy, number, 2, "tolerated amoxicillin", refuted=True)
    found = read(practice, patient)
    assert found.allergies == () and found.banner.allergy_title == chart.NOT_RECORDED
    past = found.past_allergies[0]
    assert (past.substance, past.reason, past.refuted, past.ended_by) == ("penicillin V", "tolerated amoxicillin", True, "Dr Dora Kim")
    with pytest.raises(ChangedElsewhere):
        write(practice, risks.change_allergy, number, 3, AllergyForm("penicillin"))
    assert b"tolerated" not in bytes(as_owner(practice, "select ended_reason from clinic.allergies")[0][0])


@pytest.mark.parametrize(("form", "field"), [
    (AllergyForm(" "), "substance"), (AllergyForm("x" * 201), "substance"), (AllergyForm("x", reaction="y" * 301), "reaction"),
    (AllergyForm("x", noted="tomorrow"), "noted"), (AllergyForm("x", noted="1-Jan-2999"), "noted"), (AllergyForm("LATEX"), "substance")])
def test_what_is_wrong_is_said_at_its_field(practice: Practice, form: AllergyForm, field: str) -> None:
    patient = patient_of_dora(practice)
    write(practice, risks.add_allergy, patient, AllergyForm("latex"))
    with pytest.raises(Invalid) as refused:
        write(practice, risks.add_allergy, patient, form)
    assert refused.value.field == field and "birth" not in refused.value.sentence


def test_nobody_else_changes_them(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    number = write(practice, risks.add_allergy, patient, AllergyForm("latex"))
    problem = write(practice, risks.add_problem, patient, ProblemForm("Asthma"))
    for who in ("hugo", "rita", "ada"):
        for service, one in ((risks.end_allergy, number), (risks.end_problem, problem)):
            with pytest.raises(NotAllowed):
                write(practice, service, one, 1, "a reason", who=who)


def test_none_known_is_asked_again_after_a_year(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    write(practice, chart.state_no_allergies, patient)
    assert not read(practice, patient).ask_again
    as_owner(practice, "update clinic.allergy_statements set stated_at = now() - %s", timedelta(days=366))
    found = read(practice, patient)
    assert found.ask_again and found.none_known_by == "Dr Dora Kim" and found.banner.allergy_title == chart.NONE_KNOWN
    write(practice, chart.state_no_allergies, patient)
    assert not read(practice, patient).ask_again


def test_free_text_is_told_from_what_the_checks_know(practice: Practice) -> None:
    with practice.read("dora") as session:
        names = risks.substances(session)
        assert {"penicillins", "amoxicillin"} <= set(names)
        assert all(risks.is_checked(session, one) for one in ("penicillin", "Amoxicillin", "sulfa drugs"))
        assert not any(risks.is_checked(session, one) for one in ("the blue pill", "cat hair"))
    patient = patient_of_dora(practice)
    write(practice, risks.add_allergy, patient, AllergyForm("amoxicillin"))
    free = write(practice, risks.add_allergy, patient, AllergyForm("the blue pill"))
    assert read(practice, patient).free_text == {free}


def test_a_problem_has_a_code_is_corrected_and_ended(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    number = write(practice, risks.add_problem, patient, ProblemForm("Essential (primary) hypertension", "I10", "2019-05-01"))
    with pytest.raises(Invalid, match="is no code"):
        write(practice, risks.add_problem, patient, ProblemForm("x", "ZZZ.9"))
    write(practice, risks.change_problem, number, 1, ProblemForm("Hypertension", "I10", "2018-05-01"))
    with pytest.raises(ClinicError):
        write(practice, risks.end_problem, number, 2, "")
    write(practice, risks.end_problem, number, 2, "healed")
    found = read(practice, patient)
    row = found.problems[0]
    assert (row.description, row.code, str(row.started_on), row.ended_on is not None) == ("Hypertension", "I10", "2018-05-01", True)
    assert found.problem_reasons == {number: "healed"}


def test_an_imported_code_of_another_system_survives_a_correction(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    number = write(practice, risks.add_problem, patient, ProblemForm("Hypertension"))
    as_owner(practice, "update clinic.problems set system = 'SNOMED-CT', code = '38341003', version = version + 1")
    write(practice, risks.change_problem, number, 2, ProblemForm("Hypertension, essential"))
    assert as_owner(practice, "select system, code, description from clinic.problems") == [
        ("SNOMED-CT", "38341003", "Hypertension, essential")]


def test_they_stand_on_the_time_axis_from_their_first_day_or_from_their_recording(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    write(practice, risks.add_allergy, patient, AllergyForm("Penicillin", noted="3-Feb-2019"))
    write(practice, risks.add_problem, patient, ProblemForm("Gout", started="4-Mar-2020"))
    write(practice, risks.add_problem, patient, ProblemForm("Asthma"))
    with practice.read("dora") as session:
        spans, zone, now = timeline.history(session, patient).spans, session.zone, session.now()
    assert [(s.kind, s.title, s.ends) for s in spans] == [
        ("allergy", "Penicillin", None), ("problem", "Gout", None), ("problem", "Asthma", None)]
    days = [datetime.fromtimestamp(s.begins, zone).date() for s in spans]
    assert days == [date(2019, 2, 3), date(2020, 3, 4), now.astimezone(zone).date()]
