"""Free places against a minute-by-minute oracle, and clocks that jump."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.rules.slots import (
    Range,
    WorkingHours,
    expand_template,
    free_places,
    hours_on,
    merged,
    nearest_free,
    open_ranges,
    without,
)

LONDON = ZoneInfo("Europe/London")
MONDAY = date(2026, 11, 23)
WEEK = [WorkingHours(d, time(9), time(12)) for d in range(5)] + [WorkingHours(d, time(13), time(17)) for d in range(5)]


def at(hour: int, minute: int = 0, day: date = MONDAY, zone: ZoneInfo = LONDON) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


def spans(places: list[Range]) -> list[str]:
    return [f"{p.starts_at.astimezone(LONDON):%a %H:%M}" for p in places]


def test_range_is_utc_aware_and_forward() -> None:
    assert Range(at(9), at(10)).starts_at.tzinfo is UTC
    assert Range(at(9), at(10)).minutes == 60
    with pytest.raises(ValueError, match="aware"):
        Range(datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001  the error under test
    for end in (at(9), at(8)):
        with pytest.raises(ValueError, match="ends after"):
            Range(at(9), end)
    assert not Range(at(9), at(10)).overlaps(Range(at(10), at(11)))
    assert Range(at(9), at(10, 1)).overlaps(Range(at(10), at(11)))


def test_open_ranges_lose_closures_and_bookings() -> None:
    free = open_ranges(MONDAY, LONDON, WEEK, [Range(at(11), at(14))], [Range(at(9), at(9, 20)), Range(at(16), at(18))])
    assert [(r.starts_at, r.ends_at) for r in free] == [(at(9, 20), at(11)), (at(14), at(16))]
    assert open_ranges(MONDAY - timedelta(days=1), LONDON, WEEK) == []
    assert open_ranges(MONDAY, LONDON, WEEK, [Range(at(0), at(23))]) == []


def test_free_places_stay_on_the_grid() -> None:
    places = free_places(MONDAY, LONDON, WEEK, minutes=30, step=30,
                         busy=[Range(at(9, 10), at(9, 20)), Range(at(11, 45), at(12))])
    assert spans(places)[:5] == ["Mon 09:30", "Mon 10:00", "Mon 10:30", "Mon 11:00", "Mon 13:00"]
    later = free_places(MONDAY, LONDON, WEEK, minutes=30, step=30, not_before=at(16, 1))
    assert spans(later) == ["Mon 16:30"]


def test_nearest_free_looks_both_ways_but_never_back_in_time() -> None:
    busy = [Range(at(9), at(17))]
    near = nearest_free(at(10), LONDON, WEEK, busy=busy, minutes=30, now=at(8))
    assert spans(near) == ["Tue 09:00", "Tue 09:30", "Tue 10:00"]
    tuesday = MONDAY + timedelta(days=1)
    both = nearest_free(at(10, day=tuesday), LONDON, WEEK, minutes=30, now=at(8),
                        busy=[Range(at(9, 30, tuesday), at(11, 0, tuesday))])
    assert spans(both) == ["Tue 09:00", "Tue 11:00", "Tue 11:30"]
    assert spans(nearest_free(at(10), LONDON, WEEK, minutes=30, now=at(10, 10), step=10)) == ["Mon 10:10", "Mon 10:40", "Mon 11:10"]
    assert nearest_free(at(10), LONDON, [], minutes=30, now=at(8)) == []


def test_nearest_free_prefers_the_other_side_of_midnight() -> None:
    nights = [WorkingHours(d, time(0), time(1)) for d in range(7)]
    near = nearest_free(at(23, 50), LONDON, nights, minutes=30, now=at(0), count=2, step=30)
    assert spans(near) == ["Tue 00:00", "Tue 00:30"]
    early = nearest_free(at(0, 10), LONDON, [WorkingHours(d, time(23), time(0)) for d in range(7)], minutes=30,
                         now=at(0, day=date(2026, 11, 1)),
                         count=1, step=30)
    assert spans(early) == ["Sun 23:30"]


def test_nearest_free_crosses_a_long_closure() -> None:
    holiday = [Range(at(0), at(0) + timedelta(days=21))]
    assert spans(nearest_free(at(10), LONDON, WEEK, closures=holiday, minutes=30, now=at(8)))[0] == "Mon 09:00"


def test_hours_across_clock_changes() -> None:
    night = [WorkingHours(6, time(0), time(6))]
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert sum(r.minutes for r in hours_on(spring, LONDON, night)) == 5 * 60
    assert sum(r.minutes for r in hours_on(autumn, LONDON, night)) == 7 * 60
    slots = expand_template(autumn, autumn, [6], start=time(0), end=time(6), minutes=30, gap=0, zone=LONDON)
    assert len(slots) == 14
    assert len({s.starts_at for s in slots}) == 14
    morning = expand_template(spring - timedelta(days=1), spring + timedelta(days=1), range(7), start=time(9),
                              end=time(10), minutes=60, gap=0, zone=LONDON)
    assert [s.starts_at.astimezone(LONDON).hour for s in morning] == [9, 9, 9]
    assert [s.starts_at.hour for s in morning] == [9, 8, 8]
    assert hours_on(spring, LONDON, [WorkingHours(6, time(22), time(0))])[0].minutes == 120


def test_template() -> None:
    slots = expand_template(MONDAY, MONDAY + timedelta(days=6), [0, 2], start=time(9), end=time(10, 30), minutes=20, gap=10, zone=LONDON)
    assert spans(slots) == ["Mon 09:00", "Mon 09:30", "Mon 10:00", "Wed 09:00", "Wed 09:30", "Wed 10:00"]


@pytest.mark.parametrize(("change", "field"), [
    ({"weekdays": []}, "weekdays"), ({"weekdays": [7]}, "weekdays"), ({"last": MONDAY - timedelta(days=1)}, "last"),
    ({"end": time(9)}, "end"), ({"minutes": 4}, "minutes"), ({"minutes": 481}, "minutes"), ({"gap": -1}, "gap"),
    ({"minutes": 200}, "minutes"), ({"weekdays": [6], "last": MONDAY}, "minutes"), ({"last": MONDAY + timedelta(days=3650)}, "last"),
])
def test_template_refusals(change: dict[str, object], field: str) -> None:
    asked: dict[str, object] = {"first": MONDAY, "last": MONDAY + timedelta(days=4), "weekdays": [0, 1, 2, 3, 4],
                                "start": time(9), "end": time(12), "minutes": 15, "gap": 0, "zone": LONDON}
    with pytest.raises(Invalid) as refusal:
        expand_template(**{**asked, **change})  # type: ignore[arg-type]
    assert refusal.value.field == field


minute_ranges = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60)), max_size=6)


@given(minute_ranges, minute_ranges)
def test_cutting_agrees_with_sets_of_minutes(keep: list[tuple[int, int]], cut: list[tuple[int, int]]) -> None:
    start = at(6).astimezone(UTC)

    def ranges(pairs: list[tuple[int, int]]) -> list[Range]:
        return [Range(start + timedelta(minutes=a), start + timedelta(minutes=a + n)) for a, n in pairs]

    def minutes(items: list[Range]) -> list[int]:
        one = timedelta(minutes=1)
        return [m for r in items for m in range((r.starts_at - start) // one, (r.ends_at - start) // one)]

    left = without(ranges(keep), ranges(cut))
    assert sorted(minutes(left)) == sorted(set(minutes(ranges(keep))) - set(minutes(ranges(cut))))
    assert left == merged(left)


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), minute_ranges, st.integers(5, 90), st.integers(5, 60),
       st.sampled_from(["Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]))
def test_places_are_free_open_and_complete(day: date, taken: list[tuple[int, int]], minutes: int, step: int, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    hours = [WorkingHours(day.weekday(), time(0, 30), time(5)), WorkingHours(day.weekday(), time(9), time(10))]
    base = hours_on(day, zone, hours)[0].starts_at
    busy = [Range(base + timedelta(minutes=a), base + timedelta(minutes=a + n)) for a, n in taken]
    expected = [Range(s, s + timedelta(minutes=minutes)) for shift in hours_on(day, zone, hours)
                for s in (shift.starts_at + timedelta(minutes=k * step) for k in range(400))
                if s + timedelta(minutes=minutes) <= shift.ends_at
                and not any(b.starts_at < s + timedelta(minutes=minutes) and s < b.ends_at for b in busy)]
    assert free_places(day, zone, hours, busy=busy, minutes=minutes, step=step) == expected


@given(minute_ranges, st.integers(0, 600), st.integers(0, 600))
def test_nearest_is_nearest(taken: list[tuple[int, int]], wish: int, clock: int) -> None:
    busy = [Range(at(8) + timedelta(minutes=2 * a), at(8) + timedelta(minutes=2 * a + n)) for a, n in taken]
    wanted, now = at(7) + timedelta(minutes=wish), at(7) + timedelta(minutes=clock)
    offers = nearest_free(wanted, LONDON, WEEK, busy=busy, minutes=20, now=now, count=1, step=10)
    every = [p for d in range(8) for p in free_places(MONDAY + timedelta(days=d), LONDON, WEEK, busy=busy, minutes=20,
                                                        step=10, not_before=now)]
    assert abs(offers[0].starts_at - wanted) == min(abs(p.starts_at - wanted) for p in every)
