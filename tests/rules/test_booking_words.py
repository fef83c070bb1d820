"""Booking commands: the same thing said in many ways, and what is none."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.rules.booking_words import BookingWords, booking_words

TODAY = date(2026, 11, 21)  # a Saturday
TUESDAY = date(2026, 11, 24)


@pytest.mark.parametrize("typed", [
    "book meyer tue 15:00 dr k", "book meyer dr k tue 15:00", "BOOK meyer Tuesday at 3pm dr. k", "book tue 15:00 meyer with dr k",
    "appt meyer 24.11 1500 doctor k", "book meyer 24-Nov 15.00 dr k", "book meyer 2026-11-24 15h dr k",
    "book meyer 24/11/2026 15:00 with k",
    "book meyer in 3 days 15:00 dr k", "book meyer next tue 15:00 dr k"])
def test_ways_to_say_the_same(typed: str) -> None:
    assert booking_words(typed, TODAY) == BookingWords("meyer", TUESDAY, time(15), "k")


@pytest.mark.parametrize(("typed", "wanted"), [
    ("book anna meyer", BookingWords("anna meyer")), ("book meyer, anna today", BookingWords("meyer, anna", TODAY)),
    ("book meyer sat 9:20 30min; sore throat", BookingWords("meyer", TODAY, time(9, 20), minutes=30, reason="sore throat")),
    ("book meyer 40 min dr anna kim", BookingWords("meyer", minutes=40, doctor="anna kim")),
    ("book meyer 3.1", BookingWords("meyer", date(2027, 1, 3))), ("book meyer 12am", BookingWords("meyer", at=time(0))),
    ("book meyer tomorrow", BookingWords("meyer", date(2026, 11, 22))), ("book may march", BookingWords("may march")),
    ("book sunny monroe", BookingWords("sunny monroe"))])
def test_parts(typed: str, wanted: BookingWords) -> None:
    assert booking_words(typed, TODAY) == wanted


@pytest.mark.parametrize("typed", ["", "book", "book ", "meyer", "booker anna", "book tue 15:00", "bo meyer"])
def test_what_is_no_command(typed: str) -> None:
    assert booking_words(typed, TODAY) is None


@given(st.text(max_size=60))
def test_nothing_typed_breaks_it(typed: str) -> None:
    booking_words(f"book {typed}", TODAY)
