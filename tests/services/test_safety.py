"""The gate at the signature: no alert of tier 1 is signed without a confirmed reason, whoever asks and however; and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed, ReasonNeeded
from clinicdesk.rules.alert_reasons import GivenReason, about, lacks, reasons_for
from clinicdesk.rules.imported_medicines import FILE, ImportedName, write_imported
from clinicdesk.rules.knowledge import shipped
from clinicdesk.rules.safety import Alert
from clinicdesk.services import chart, consultations, content, medication, risks, safety
from clinicdesk.services.drafts import ConsultationDraft, ItemDraft, from_json, to_json
from tests.clinics import Practice
from tests.visiting import TABLET, as_owner, completed, raw, started

AMOX = ItemDraft(medicine="amoxicillin", strength="500 mg", form="capsule", route="oral", dose_value="500", dose_unit="mg",
                 times_per_day="3", duration_days="7", indication="otitis", free_text=False)
DRAFT = ConsultationDraft(notes={"plan": "x"}, items=(AMOX,))


@pytest.fixture
def patient(practice: Practice) -> str:
    return practice.patient()


@pytest.fixture
def consultation(practice: Practice, patient: str) -> int:
    number = started(practice, patient)
    with practice.write("dora") as session:
        chart.add_allergy(session, patient, "amoxicillin", reaction="anaphylaxis", severity="severe")
    return number


def sign(practice: Practice, consultation: int, draft: ConsultationDraft) -> consultations.Completed:
    with practice.write("dora") as session:
        return consultations.complete(session, consultation, draft, 0)


def worst(practice: Practice, patient: str, draft: ConsultationDraft = DRAFT) -> Alert:
    with practice.read("dora") as session:
        return safety.checkup(session, patient, draft).found[0].alert


def reason(alert: Alert, **changes: Any) -> GivenReason:
    return replace(GivenReason(about(alert), "tolerated", "took it twice in May", confirmed=True), **changes)


def test_the_worst_keeps_from_signing_until_a_reason_was_given_and_confirmed(
    practice: Practice, patient: str, consultation: int
) -> None:
    alert = worst(practice, patient)
    assert (alert.rule, alert.tier) == ("allergy", 1)
    given = reason(alert)
    for wrong in ((), (replace(given, confirmed=False),), (replace(given, words="  "),), (replace(given, words="..."),),
                  (replace(given, reason=""),), (replace(given, reason="because"),), (replace(given, about="0" * 32),)):
        with pytest.raises(ReasonNeeded) as refused:
            sign(practice, consultation, replace(DRAFT, reasons=wrong))
        assert refused.value.field == "items.0"
    assert as_owner(practice, "select count(*) from clinic.prescriptions") == [(0,)]
    assert as_owner(practice, "select count(*) from clinic.alert_firings") == [(0,)]
    sign(practice, consultation, replace(DRAFT, reasons=(given,)))
    rows = as_owner(practice, "select rule, tier, medicine, reason, words, data_date, given_by is not null from clinic.alert_overrides")
    assert [(r[0], r[1], r[2], r[3], r[6]) for r in rows] == [("allergy", 1, "amoxicillin", "tolerated", True)]
    assert rows[0][5] == alert.data_date != ""
    assert b"took it twice" not in rows[0][4]


def test_a_reason_holds_for_what_was_said_and_not_for_what_came_later(practice: Practice, patient: str, consultation: int) -> None:
    given = reason(worst(practice, patient))
    with practice.write("dora") as session:
        row = chart.chart(session, patient).allergies[0]
        chart.end_allergy(session, row.id, row.version)
        chart.add_allergy(session, patient, "penicillin", reaction="anaphylaxis", severity="severe")
    with pytest.raises(ReasonNeeded):  # the window was opened before the allergy was changed
        sign(practice, consultation, replace(DRAFT, reasons=(given,)))
    sign(practice, consultation, replace(DRAFT, reasons=(given, reason(worst(practice, patient)))))


def test_the_second_line_is_named(practice: Practice, consultation: int) -> None:
    with pytest.raises(ReasonNeeded) as refused:
        sign(practice, consultation, replace(DRAFT, items=(TABLET, ItemDraft(), AMOX)))
    assert refused.value.field == "items.2"


def test_a_check_that_fails_is_an_alert_of_the_first_tier(
    practice: Practice, patient: str, consultation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_folder: object) -> None:
        raise RuntimeError("no tables")

    monkeypatch.setattr(safety, "clinic_knowledge", broken)
    alert = worst(practice, patient, replace(DRAFT, items=(TABLET,)))
    assert (alert.rule, alert.tier) == ("not-checked", 1)
    assert "nothing was checked" in alert.sentence
    with pytest.raises(ReasonNeeded):
        sign(practice, consultation, replace(DRAFT, items=(TABLET,)))
    assert reasons_for(alert) == tuple(code for code in reasons_for(replace(alert, rule="allergy")) if code != "allergy_wrong")


def test_a_typed_line_is_told_what_it_adds_and_nothing_else(practice: Practice, patient: str, consultation: int) -> None:
    warfarin = replace(TABLET, medicine="warfarin", strength="5 mg")
    ibuprofen = replace(TABLET, medicine="ibuprofen", strength="400 mg")
    draft = replace(DRAFT, items=(AMOX, warfarin))

    def told(item: ItemDraft, draft: ConsultationDraft = draft) -> tuple[Alert, ...]:
        with practice.read("dora") as session:
            return safety.checkup_of_typed(session, patient, draft, item)

    both = told(ibuprofen)
    assert any(one.rule == "interaction" and {one.medicine, one.other} == {"ibuprofen", "warfarin"} for one in both)
    assert not any(one.rule == "allergy" for one in both), "what the lines before it say is not said again"
    assert [one.tier for one in both] == sorted(one.tier for one in both)
    assert (told(AMOX, ConsultationDraft())[0].rule, told(AMOX, ConsultationDraft())[0].tier) == ("allergy", 1)
    assert "duplicate" in {one.rule for one in told(AMOX)}
    assert consultation


def test_facts_that_cannot_be_read_raise(practice: Practice, patient: str, consultation: int) -> None:
    as_owner(practice, "revoke select on clinic.medicines from clinicdesk_app")
    with practice.read("dora") as session, pytest.raises(NotAllowed), session.attempt():
        safety.checkup(session, patient, DRAFT)
    assert consultation


def test_a_doctor_without_care_gets_no_answer(practice: Practice, patient: str, consultation: int) -> None:
    with practice.read("hugo") as session, pytest.raises(NotAllowed):
        safety.checkup(session, patient, DRAFT)
    assert consultation


def test_facts_of_the_patient(practice: Practice, patient: str, consultation: int) -> None:
    today = practice.at(9, day=0).date()
    with practice.write("dora") as session:
        medication.state_pregnancy(session, patient, pregnant=True, expected_on=today + timedelta(days=90))
        medication.state_egfr(session, patient, Decimal("28.4"), today)
        chart.add_problem(session, patient, "asthma")
        with pytest.raises(Invalid):
            medication.state_egfr(session, patient, Decimal(0), today)
        with pytest.raises(Invalid):
            medication.state_egfr(session, patient, Decimal(20), today + timedelta(days=2))
        with pytest.raises(Invalid):
            medication.state_pregnancy(session, patient, pregnant=True, expected_on=today + timedelta(days=400))
    with practice.read("dora") as session:
        facts = safety.facts_of(session, patient, replace(DRAFT, vitals={"weight": "61,5"}))
    assert (facts.pregnant, facts.egfr, facts.problems, facts.weight_kg, facts.sex) == (True, Decimal("28.4"),
    ("asthma",), Decimal("61.5"), "F")
    assert facts.allergies is not None and facts.allergies[0].severity == "severe"
    as_owner(practice, "update clinic.patient_facts set expected_on = current_date - 60")
    with practice.write("dora") as session:
        assert safety.facts_of(session, patient).pregnant is None, "too old to rely on"
        medication.state_pregnancy(session, patient, pregnant=False)
        assert safety.facts_of(session, patient).pregnant is False
    as_owner(practice, "update clinic.patient_facts set stated_at = now() - interval '40 days'")
    with practice.read("dora") as session:
        assert safety.facts_of(session, patient).pregnant is None
    bare = practice.patient(sex="M")
    started(practice, bare, hour=14)
    with practice.read("dora") as session:
        none = safety.facts_of(session, bare)
    assert (none.allergies, none.pregnant, none.egfr, none.weight_kg) == (None, False, None, None)


def test_tiers_are_the_administrators_and_the_worst_stays(practice: Practice, patient: str, consultation: int) -> None:
    unknown = replace(DRAFT, items=(replace(AMOX, medicine="zzzzol", free_text=True), AMOX))
    with practice.write("ada") as session:
        content.set_tiers(session, {"allergy": 3, "duplicate": 3})
        for wrong in ({"not-checked": 3}, {"allergy": 1}, {"no-such": 2}):
            with pytest.raises(Invalid):
                content.set_tiers(session, wrong)
    with practice.write("dora") as session, pytest.raises(NotAllowed):
        content.set_tiers(session, {"age": 3})
    assert worst(practice, patient).tier == 1
    as_owner(practice, "update clinic.settings set value = '{\"not-checked\": 3, \"allergy\": 3, \"age\": \"x\"}', version = version + 1"
                       " where key = 'alert_tiers'")
    with practice.read("dora") as session:
        found = {(one.alert.rule, one.alert.tier) for one in safety.checkup(session, patient, unknown).found}
    assert ("allergy", 1) in found
    assert ("not-checked", 2) in found, "free text stays a warning"
    with practice.write("ada") as session:
        content.set_tiers(session, {"duplicate": 3})
    mild = replace(DRAFT, items=(TABLET, TABLET))
    with practice.read("dora") as session:
        assert {one.alert.tier for one in safety.checkup(session, patient, mild).found if one.alert.rule == "duplicate"} <= {3}
    assert consultation


def test_an_approval_is_of_one_version_and_shows_on_every_alert(practice: Practice, patient: str, consultation: int) -> None:
    assert worst(practice, patient).approved == "not yet approved"
    today = practice.at(9, day=0).date()
    with practice.write("ada") as session:
        for state in content.states(session):
            assert state.approved_by == "" and state.table.rows > 0
            content.approve(session, state.table.name, state.table.sha256, practice.doctors["hugo"], today)
        with pytest.raises(Invalid, match="changed"):
            content.approve(session, "limits", "0" * 64, practice.doctors["hugo"], today)
        with pytest.raises(Invalid, match="future"):
            content.approve(session, state.table.name, state.table.sha256, practice.doctors["hugo"], today + timedelta(days=1))
    with practice.write("dora") as session, pytest.raises(NotAllowed):
        content.approve(session, "limits", "0" * 64, practice.doctors["dora"], today)
    assert worst(practice, patient).approved.startswith("approved by Dr Hugo Blanc on ")
    as_owner(practice, "update clinic.content_approvals set sha256 = repeat('a', 64)")  # as if the tables were new ones
    assert worst(practice, patient).approved == "not yet approved"
    assert consultation


def test_the_report_counts_what_fired_and_what_was_overridden(practice: Practice, patient: str, consultation: int) -> None:
    sign(practice, consultation, replace(DRAFT, reasons=(reason(worst(practice, patient)),)))
    today = practice.at(9, day=0).date()
    with practice.read("ada") as session:
        rows = content.override_report(session, today, today)
        assert content.override_report(session, today - timedelta(days=9), today - timedelta(days=2)) == []
        with pytest.raises(Invalid):
            content.override_report(session, today, today - timedelta(days=1))
    first = rows[0]
    assert (first.rule, first.tier, first.medicine, first.fired, first.overridden, first.percent) == ("allergy", 1, "amoxicillin", 1, 1,
    100)
    assert first.reason_words == "Patient tolerates it or took it before (1)"
    text = content.report_csv([replace(first, medicine="=1+1")]).decode("utf-8-sig")
    assert "Allergy to the same medicine,1,'=1+1," in text
    with practice.read("dora") as session, pytest.raises(NotAllowed), session.attempt():
        content.override_report(session, today, today)


@pytest.mark.parametrize("statement", [
    ("insert into clinic.alert_overrides (consultation_id, patient_id, alert_key, rule, tier, medicine, reason, given_by)"
    " values (%(c)s, %(p)s, 'x', 'age', 1, 'x', 'monitor', auth.me())"),  # tier 1 without words
    ("insert into clinic.alert_overrides (consultation_id, patient_id, alert_key, rule, tier, medicine, reason, words, given_by)"
    " values (%(c)s, %(p)s, 'x', 'age', 1, 'x', 'because', 'x', auth.me())"),
    "update clinic.alert_overrides set reason = 'monitor'",
    "delete from clinic.alert_firings",
    "update clinic.content_approvals set sha256 = repeat('0', 64)",
    "update clinic.patient_facts set pregnant = false",
    "select * from clinic.override_report(current_date, current_date)",
])
def test_raw_sql_gets_no_further(practice: Practice, patient: str, consultation: int, statement: str) -> None:
    with raw(practice, "dora") as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(statement, {"c": consultation, "p": patient})
    assert refused.value.sqlstate in {"42501", "23514", "CD001"}


def test_nothing_is_added_to_a_signed_visit(practice: Practice, patient: str, consultation: int) -> None:
    into = ("insert into clinic.alert_firings (consultation_id, patient_id, alert_key, rule, tier, medicine)"
            " values (%s, %s, 'x', 'age', 2, 'x')")
    with raw(practice, "dora") as connection:
        connection.execute(into, (consultation, patient))
    sign(practice, consultation, replace(DRAFT, items=()))
    with raw(practice, "dora") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(into, (consultation, patient))


def test_a_draft_keeps_reasons_and_lines_of_an_older_program_open() -> None:
    draft = replace(DRAFT, reasons=(GivenReason("a" * 32, "monitor", "weekly blood count", confirmed=True),))
    assert from_json(to_json(draft)) == draft
    assert from_json('{"items": [{"medicine": "x", "gone": 1}]}').reasons == ()


def test_tier_two_needs_nothing_to_be_signed() -> None:
    alert = Alert("age", 2, "k", "m", "s")
    assert lacks(alert, None) == ""
    assert lacks(replace(alert, tier=1), None) == "a reason"


def test_prescribed_medicines_come_onto_the_list(practice: Practice) -> None:
    patient = practice.patient()
    long_term = replace(TABLET, long_term=True)
    completed(practice, patient, replace(DRAFT, items=(long_term, AMOX)))
    today = practice.at(9, day=0).date()

    def listed() -> list[medication.CurrentMedicine]:
        with practice.read("dora") as session:
            return medication.current(session, patient)

    found = listed()
    assert [(m.description, m.ended_on, m.long_term) for m in found] == [
        ("amlodipine 5 mg tablet", None, True), ("amoxicillin 500 mg capsule", today + timedelta(days=6), False)]
    again = found[0].item
    assert replace(again, renews="") == long_term
    completed(practice, patient, replace(DRAFT, items=(again,)), hour=10)
    renewed = [m for m in listed() if m.description.startswith("amlodipine")]
    assert len({m.id for m in renewed} - {found[0].id}) == 1
    with practice.write("dora") as session:
        newest = max(renewed, key=lambda m: m.id)
        for why, words in (("", ""), ("other", " "), ("other", "x" * 1001)):
            with pytest.raises(Invalid):
                medication.stop(session, newest.id, newest.version, why, words)
        with pytest.raises(ChangedElsewhere):
            medication.stop(session, newest.id, newest.version + 1, "wish")
        medication.stop(session, newest.id, newest.version, "side_effect", "swollen ankles")
    assert newest.id not in {m.id for m in listed()}
    with practice.read("dora") as session:
        why = medication.stopped(session, patient)[0]
    assert (why.description, why.reason, why.words, why.stopped_by) == ("amlodipine 5 mg tablet", "Side effect", "swollen ankles",
    "Dr Dora Kim")


def test_repeating_and_favourites(practice: Practice) -> None:
    patient = practice.patient()
    visit = completed(practice, patient, replace(DRAFT, items=(AMOX, TABLET)))
    with practice.write("dora") as session:
        assert medication.items_of(session, visit.prescription_id or 0) == (AMOX, TABLET)
        number = medication.add_favourite(session, "amoxicillin for ears", replace(AMOX, renews="4", dose_basis="Based on 12 kg"))
        with pytest.raises(NotAllowed):
            medication.items_of(session, 10**9)
    with practice.read("dora") as session:
        assert [(f.id, f.title, f.item) for f in medication.favourites(session)] == [(number, "amoxicillin for ears", AMOX)]
    with practice.write("hugo") as session:
        medication.remove_favourite(session, number)
        assert medication.favourites(session) == []
    with practice.write("dora") as session:
        medication.remove_favourite(session, number)
        assert medication.favourites(session) == []
    with practice.write("rita") as session, pytest.raises(NotAllowed):
        medication.add_favourite(session, "x", AMOX)


def test_what_the_clinic_imported_counts_in_the_consulting_room(practice: Practice, patient: str, consultation: int) -> None:
    with practice.write("dora") as session:
        write_imported(session.folder / FILE, [ImportedName("Zubrin", "BN", "1", ("amoxicillin",), "", "")])
        try:
            found = safety.checkup(session, patient, replace(DRAFT, items=(replace(AMOX, medicine="Zubrin"),))).found
            assert ("allergy", 1) in {(one.alert.rule, one.alert.tier) for one in found}
            assert risks.is_checked(session, "Zubrin") and "zubrin" not in {name.casefold() for name in shipped().medicines}
        finally:
            (session.folder / FILE).unlink()
        assert not risks.is_checked(session, "Zubrin")
