"""Two versions of one consultation: nothing either side wrote disappears unless somebody chose so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinicdesk.services.draft_merging import combined, parts, together
from clinicdesk.services.drafts import ConsultationDraft, DiagnosisDraft, ItemDraft
from tests.visiting import AS_NEEDED, FULL, TABLET

COUGH, COLD = DiagnosisDraft("R05.9", "Cough, unspecified"), DiagnosisDraft("", "a cold")


def names(*versions: ConsultationDraft) -> dict[str, str]:
    return {part.name: part.changed for part in parts(*versions)}


def test_what_only_one_side_changed_is_put_together_without_a_question() -> None:
    mine = replace(FULL, notes={**FULL.notes, "assessment": "Bronchitis."}, vitals={**FULL.vitals, "pulse": "80"})
    theirs = replace(FULL, notes={**FULL.notes, "plan": "Inhaler."}, items=(TABLET,), diagnoses=(COUGH,))
    assert names(FULL, mine, theirs) == {"notes.assessment": "mine", "notes.plan": "theirs", "vitals.pulse": "mine", "items": "theirs",
                                         "diagnoses": "theirs"}
    found = together(FULL, mine, theirs)
    assert found == replace(theirs, notes={**theirs.notes, "assessment": "Bronchitis."}, vitals=mine.vitals)


def test_what_both_changed_is_asked_about() -> None:
    mine, theirs = replace(FULL, vitals={**FULL.vitals, "pulse": "80"}), replace(FULL, vitals={**FULL.vitals, "pulse": "90"})
    assert together(FULL, mine, theirs) is None
    (part,) = parts(FULL, mine, theirs)
    assert (part.title, part.mine, part.theirs, part.changed, part.can_join, part.suggested) == ("Pulse", "80", "90", "both", False, None)
    with pytest.raises(KeyError):
        combined(FULL, mine, theirs, {})
    assert combined(FULL, mine, theirs, {part.name: "mine"}).vitals["pulse"] == "80"
    with pytest.raises(ValueError, match="cannot both stand"):
        combined(replace(FULL, oxygen=None), replace(FULL, oxygen=True), replace(FULL, oxygen=False), {"oxygen": "both"})


def test_both_keeps_the_words_of_both() -> None:
    base = ConsultationDraft(notes={"plan": "Rest and fluids. Review in two weeks."})
    mine = ConsultationDraft(notes={"plan": "Rest and fluids. Inhaler. Review in two weeks."})
    theirs = ConsultationDraft(notes={"plan": "Rest and fluids. Review in two weeks, earlier if worse."})
    assert combined(base, mine, theirs, {"notes.plan": "both"}).notes["plan"] == (
        "Rest and fluids. Inhaler. Review in two weeks, earlier if worse.")
    from_nothing = combined(ConsultationDraft(), mine, ConsultationDraft(notes={"plan": "Antibiotics."}), {"notes.plan": "both"})
    assert from_nothing.notes["plan"] == f"Antibiotics.\n{mine.notes['plan']}"


def test_lists_keep_what_either_side_added_and_drop_what_either_took_away() -> None:
    base = ConsultationDraft(items=(TABLET, AS_NEEDED))
    other = ItemDraft(medicine="ibuprofen")
    mine, theirs = replace(base, items=(TABLET, other)), replace(base, items=(TABLET, AS_NEEDED), diagnoses=(COUGH, COLD))
    found = combined(base, mine, theirs, {"items": "both", "diagnoses": "theirs"})
    assert found.items == (TABLET, other) and found.diagnoses == (COUGH, COLD)
    stronger, longer = replace(TABLET, dose_value="2"), replace(TABLET, duration_days="90")
    both = combined(base, replace(base, items=(stronger,)), replace(base, items=(longer,)), {"items": "both"})
    assert both.items == (longer, stronger), "one medicine changed by both stands twice: seen, not guessed"


def test_a_confirmation_goes_with_the_value_it_was_given_for() -> None:
    mine = replace(FULL, vitals={**FULL.vitals, "pulse": "170"}, confirmed=("pulse",))
    theirs = replace(FULL, vitals={**FULL.vitals, "pulse": "180"}, confirmed=("pulse", "temperature"))
    assert combined(FULL, mine, theirs, {"vitals.pulse": "mine"}).confirmed == ("pulse", "temperature")
    assert combined(FULL, replace(mine, confirmed=()), theirs, {"vitals.pulse": "mine"}).confirmed == ("temperature",)


WORDS = ("rest", "fluids", "inhaler", "review", "fever", "cough", "night", "week")
TEXT = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(TEXT, TEXT, TEXT)
def test_no_word_of_either_side_is_lost(base: str, mine: str, theirs: str) -> None:
    versions = [ConsultationDraft(notes={"plan": text} if text else {}) for text in (base, mine, theirs)]
    choices = {part.name: "both" for part in parts(*versions)}
    found = combined(*versions, choices).notes.get("plan", "")  # type: ignore[arg-type]
    removed = set(base.split()) - (set(mine.split()) & set(theirs.split()))
    assert (set(mine.split()) | set(theirs.split())) - removed <= set(found.split())
    assert set(mine.split()) - set(base.split()) <= set(found.split()) and set(theirs.split()) - set(base.split()) <= set(found.split())


@pytest.mark.parametrize(("mine", "theirs"), [
    ({"systolic": "160"}, {"diastolic": "60"}), ({"spo2": "88"}, {"oxygen_flow": "4"})], ids=["blood pressure", "saturation"])
def test_halves_of_two_measurements_are_never_put_together_unasked(mine: dict[str, str], theirs: dict[str, str]) -> None:
    here, there = (replace(FULL, vitals={**FULL.vitals, **change}) for change in (mine, theirs))
    assert together(FULL, here, there) is None
    both = {**mine, **theirs}
    assert together(FULL, replace(FULL, vitals={**FULL.vitals, **both}), FULL) is not None, "one side changed the whole of it"
