"""Age units of reference R7 at every boundary."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.rules.ages import age_text, years

BORN = datetime(2020, 1, 31, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(("at", "text"), [
    (BORN, "0min"),
    (BORN + timedelta(minutes=90), "90min"),
    (BORN + timedelta(hours=2, seconds=-1), "119min"),
    (BORN + timedelta(hours=2), "2hrs"),
    (BORN + timedelta(hours=26), "26hrs"),
    (BORN + timedelta(days=2, seconds=-1), "47hrs"),
    (BORN + timedelta(days=2), "2d"),
    (BORN + timedelta(days=28, seconds=-1), "27d"),
    (BORN + timedelta(days=28), "4w"),
    (BORN + timedelta(days=29), "4w 1d"),
    (datetime(2021, 1, 30, 23, tzinfo=UTC), "52w 1d"),
    (datetime(2021, 1, 31, 12, tzinfo=UTC), "12m"),
    (datetime(2021, 2, 1, 12, tzinfo=UTC), "12m 1d"),
    (datetime(2021, 2, 28, 12, tzinfo=UTC), "12m 28d"),
    (datetime(2021, 3, 8, 12, tzinfo=UTC), "13m 8d"),
    (datetime(2022, 1, 30, 12, tzinfo=UTC), "23m 30d"),
    (datetime(2022, 1, 31, 12, tzinfo=UTC), "2y"),
    (datetime(2024, 2, 29, 12, tzinfo=UTC), "4y"),
    (datetime(2024, 3, 1, 12, tzinfo=UTC), "4y 1m"),
    (datetime(2038, 1, 30, 12, tzinfo=UTC), "17y 11m"),
    (datetime(2038, 1, 31, 12, tzinfo=UTC), "18y"),
    (datetime(2081, 6, 1, 12, tzinfo=UTC), "61y"),
])
def test_table(at: datetime, text: str) -> None:
    assert age_text(BORN, at) == text


def test_without_time_of_birth_days_are_used() -> None:
    born = date(2026, 11, 20)
    assert age_text(born, datetime(2026, 11, 20, 23, tzinfo=UTC)) == "0d"
    assert age_text(born, datetime(2026, 11, 21, 1, tzinfo=UTC)) == "1d"
    assert age_text(born, datetime(2026, 12, 18, 1, tzinfo=UTC)) == "4w"


def test_future_birth_is_refused() -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    for born in (date(2026, 11, 22), at + timedelta(seconds=1)):
        with pytest.raises(Invalid):
            age_text(born, at)


def test_years_on_leap_days() -> None:
    assert years(date(2000, 2, 29), date(2018, 2, 28)) == 17
    assert years(date(2000, 2, 29), date(2018, 3, 1)) == 18
    assert years(date(2000, 2, 29), date(2020, 2, 29)) == 20


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 44_000))
def test_units_follow_the_age(born: date, days: int) -> None:
    on = born + timedelta(days=days)
    text = age_text(born, datetime(on.year, on.month, on.day, 12, tzinfo=UTC))
    completed = years(born, on)
    naive = on.year - born.year - (on.timetuple()[1:3] < born.timetuple()[1:3])
    assert completed == naive
    units = "".join(c for c in text if c.isalpha())
    if days < 28:
        assert text == f"{days}d"
    elif completed < 1:
        assert units in {"w", "wd"}
        weeks, _, rest = text.partition("w")
        assert int(weeks) * 7 + int(rest.strip(" d") or 0) == days
    elif completed < 2:
        assert units in {"m", "md"}
        assert 12 <= int(text.split("m")[0]) < 24
    elif completed < 18:
        assert units in {"y", "ym"}
        assert int(text.split("y")[0]) == completed
    else:
        assert text == f"{completed}y"
    assert " 0" not in text
