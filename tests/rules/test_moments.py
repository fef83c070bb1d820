"""Dates and times as written, and birth dates as typed."""

import contextlib
import locale
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import (
    EARLIEST_BIRTH,
    MONTHS,
    clinical_date,
    clinical_moment,
    clinical_time,
    date_readings,
    duration_text,
    long_date,
    minutes_text,
    parse_birth_date,
)

TODAY = date(2026, 11, 21)
BIRTHS = st.dates(EARLIEST_BIRTH, TODAY)


def test_clinical_forms() -> None:
    london = ZoneInfo("Europe/London")
    at = datetime(2026, 7, 6, 23, 30, 59, tzinfo=ZoneInfo("UTC"))
    assert clinical_date(date(2026, 2, 6)) == "06-Feb-2026"
    assert clinical_date(date(2026, 5, 9), weekday=True) == "Sat 09-May-2026"
    assert clinical_date(at, london) == "07-Jul-2026"
    assert clinical_time(at, london) == "00:30"
    assert clinical_time(time(23, 59)) == "23:59"
    assert clinical_moment(at, london) == "07-Jul-2026 00:30"
    assert long_date(date(2026, 2, 6)) == "06 February 2026"
    assert long_date(at, london, weekday=True) == "Tuesday 07 July 2026"
    assert {clinical_date(None), clinical_time(None), clinical_moment(None), long_date(None)} == {"Not recorded"}


def test_clinical_date_ignores_the_regional_setting() -> None:
    before = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("C", "de_DE.UTF-8", "ar_EG.UTF-8", "th_TH.UTF-8"):
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            assert clinical_date(date(2026, 3, 6)) == "06-Mar-2026"
    finally:
        locale.setlocale(locale.LC_ALL, before)


def test_durations() -> None:
    assert minutes_text(95) == "1hr 35min"
    assert minutes_text(60) == "1hr"
    assert minutes_text(0) == "0min"
    assert duration_text(timedelta(days=2, seconds=5)) == "2d 5sec"
    with pytest.raises(ValueError, match="negative"):
        duration_text(timedelta(seconds=-1))


@pytest.mark.parametrize("typed",
                         ["1980-11-05", "1980/11/5", "1980.11.05", "19801105", "5.11.1980", "5.11.80", "5 Nov 1980", "05-Nov-1980",
                                   "5 november 80", "Nov 5, 1980", "November 5th 1980", "5th of Nov 1980", "5Nov1980",
                                   " 05 - nov - 1980 ",
                                   "١٩٨٠-١١-٠٥", "1980 Nov 5"])
def test_unambiguous_notations(typed: str) -> None:
    assert parse_birth_date(typed, TODAY) == date(1980, 11, 5)


@pytest.mark.parametrize("typed", ["5/11/1980", "05-11-1980", "05111980", "5 11 1980", "051180", "5/11/80"])
def test_day_first_is_a_choice(typed: str) -> None:
    assert parse_birth_date(typed, TODAY, day_first=True) == date(1980, 11, 5)
    assert parse_birth_date(typed, TODAY, day_first=False) == date(1980, 5, 11)
    with pytest.raises(Invalid, match="11-May-1980 or 05-Nov-1980"):
        parse_birth_date(typed, TODAY)
    assert date_readings(typed, TODAY) == (date(1980, 5, 11), date(1980, 11, 5))


def test_what_can_only_be_one_day_needs_no_choice() -> None:
    assert parse_birth_date("25/12/1980", TODAY) == date(1980, 12, 25)
    assert parse_birth_date("12/25/1980", TODAY) == date(1980, 12, 25)
    assert parse_birth_date("12/25/1980", TODAY, day_first=True) == date(1980, 12, 25)
    assert parse_birth_date("5/5/1980", TODAY) == date(1980, 5, 5)
    assert parse_birth_date("29 Feb 2000", TODAY) == date(2000, 2, 29)


def test_two_digit_years() -> None:
    assert parse_birth_date("5.11.30", TODAY) == date(1930, 11, 5)
    assert parse_birth_date("5.11.15", TODAY) == date(2015, 11, 5)
    with pytest.raises(Invalid, match="05-Nov-1920 or 05-Nov-2020"):
        parse_birth_date("5.11.20", TODAY)


@pytest.mark.parametrize(("typed", "says"), [
    ("", "needed"), ("yesterday", "not a date"), ("30 Feb 1980", "not a date"), ("31.4.1980", "not a date"), ("1980", "not a date"),
    ("22-Nov-2026", "after today, 21-Nov-2026"), ("2030-01-01", "after today"), ("31 Dec 1879", "before 01-Jan-1880"),
    ("5/11/980", "not a date"), ("5 Ju 1980", "not a date"), ("5 Jan Feb 1980", "not a date"), ("99999999", "not a date"),
    ("'; DROP TABLE patients; --", "not a date"),
])
def test_refusals_explain(typed: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refusal:
        parse_birth_date(typed, TODAY)
    assert refusal.value.field == "born"


def test_limits_are_inclusive() -> None:
    assert parse_birth_date("21-Nov-2026", TODAY) == TODAY
    assert parse_birth_date("1880-01-01", TODAY) == EARLIEST_BIRTH


@given(BIRTHS, st.booleans())
def test_every_written_form_is_read_back(born: date, day_first: bool) -> None:
    numeric = (born.day, born.month) if day_first else (born.month, born.day)
    forms = [born.isoformat(), clinical_date(born), long_date(born), f"{born.day}.{born.month}.{born.year}", f"{born:%Y%m%d}",
             f"{MONTHS[born.month - 1]} {born.day}, {born.year}", f"{numeric[0]}/{numeric[1]}/{born.year}",
             f"{numeric[0]:02d}{numeric[1]:02d}{born.year}"]
    assert {parse_birth_date(form, TODAY, day_first) for form in forms} == {born}


@given(st.text(max_size=30), st.sampled_from([None, True, False]))
def test_any_text_gives_a_date_or_a_sentence(typed: str, day_first: bool | None) -> None:
    with contextlib.suppress(Invalid):
        assert EARLIEST_BIRTH <= parse_birth_date(typed, TODAY, day_first) <= TODAY
