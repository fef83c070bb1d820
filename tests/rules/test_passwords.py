"""Password rules: length and commonness, nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.rules.passwords import check_password, prepare_password


@pytest.mark.parametrize("typed", ["correct horse battery", "жираф-на-крыше", "ten  spaces in", "x7" * 32, "tréma🦒tréma", "        a"])
def test_accepted_as_typed(typed: str) -> None:
    assert check_password(typed, "ada") == typed


@pytest.mark.parametrize("typed", ["", "1234567", "x7" * 32 + "x"])
def test_length(typed: str) -> None:
    with pytest.raises(Invalid, match="8 to 64") as refusal:
        check_password(typed)
    assert refusal.value.field == "password"


@pytest.mark.parametrize("typed", ["password", "PASSWORD", "12345678", "qwertyuiop", "iloveyou1"])
def test_common_passwords(typed: str) -> None:
    with pytest.raises(Invalid, match="common"):
        check_password(typed)


def test_the_list_holds_the_3000_most_common_that_are_long_enough() -> None:
    """ASVS 6.2.4: at least the top 3,000 that fit the length rule. The list has them by frequency."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    common = [word for word in FREQUENCY_LISTS["passwords"] if 8 <= len(word) <= 64]
    assert len(common) >= 3000
    for typed in common[:3000]:
        with pytest.raises(Invalid):
            check_password(typed)


@pytest.mark.parametrize("typed", ["Receptionist9", "receptionist9", "9tsinoitpecer", "receptionist9receptionist9"])
def test_the_user_name(typed: str) -> None:
    with pytest.raises(Invalid, match="user name"):
        check_password(typed, "receptionist9")


def test_one_repeated_character() -> None:
    with pytest.raises(Invalid):
        check_password("ж" * 12)


def test_two_keyboards_one_password() -> None:
    assert prepare_password("cafe\u0301 au lait") == prepare_password("café au lait")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=20, max_size=30).filter(lambda s: len(set(s.casefold())) > 4))
def test_any_long_text_is_a_password(typed: str) -> None:
    assert check_password(typed) == prepare_password(typed)
