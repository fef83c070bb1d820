"""The geometry of the calendar: places, lanes, verdicts, drags; no window."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.services.schedule import AppointmentBlock, DaySchedule, DoctorColumn, OpenRange
from ui.schedule.drag import Drag, Mode, nudged
from ui.schedule.model import ZOOMS, Cell, DayLayout, Span, clock, minute_of, moment_of

DAY = date(2026, 11, 20)


def at(minute: int) -> datetime:
    return datetime(2026, 11, 20, tzinfo=UTC) + timedelta(minutes=minute)


def block(number: int, start: int, end: int, *, doctor: int = 1, status: str = "scheduled", lane: int = 0) -> AppointmentBlock:
    return AppointmentBlock(number, doctor, f"p_{number:06d}", f"Person {number}", date(1980, 1, 1), at(start), at(end), status, lane,
                            "Follow-up", "Emergency" if lane else "", at(start), 1)


def schedule(*blocks: AppointmentBlock, doctors: int = 2) -> DaySchedule:
    hours = (OpenRange(at(8 * 60), at(12 * 60)), OpenRange(at(13 * 60), at(17 * 60)))
    columns = [DoctorColumn(n + 1, f"Dr {n + 1}", "General practice", DAY, hours) for n in range(doctors)]
    return DaySchedule(DAY, tuple(columns), tuple(sorted(blocks, key=lambda b: b.starts_at)))


def test_the_day_shown_holds_all_hours_and_blocks() -> None:
    layout = DayLayout(schedule(block(1, 6 * 60 + 30, 7 * 60)), UTC)
    assert layout.first == 5 * 60
    assert layout.last == 18 * 60
    assert layout.y(layout.first) == 0
    assert layout.height == 13 * 96


@pytest.mark.parametrize("zoom", ZOOMS)
def test_minutes_and_pixels_agree(zoom: int) -> None:
    layout = DayLayout(schedule(), UTC, zoom)
    for minute in range(layout.first, layout.last, layout.snap):
        assert layout.cell_at(5, layout.y(minute) + 1).minute == minute


def test_times_are_the_clinics_wall_clock_also_over_a_clock_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    day = date(2026, 10, 25)
    early = moment_of(9 * 60, day, berlin)
    assert early.astimezone(UTC).hour == 8
    assert minute_of(early, day, berlin) == 9 * 60
    assert minute_of(moment_of(1440, day, berlin), day, berlin) == 1440
    assert clock(1440) == "24:00"
    assert clock(545) == "09:05"


def test_overlapping_blocks_stand_beside_each_other() -> None:
    layout = DayLayout(schedule(block(1, 600, 630), block(2, 600, 630, lane=1), block(3, 630, 660)), UTC)
    first, second, alone = (layout.rect(layout.by_id[n]) for n in (1, 2, 3))
    assert first.x + first.width <= second.x
    assert alone.width > 1.8 * first.width


def test_a_cancelled_block_stands_aside_and_holds_no_time() -> None:
    layout = DayLayout(schedule(block(1, 600, 630, status="cancelled"), block(2, 600, 630)), UTC)
    gone, booked = layout.rect(layout.by_id[1]), layout.rect(layout.by_id[2])
    assert booked.x + booked.width <= gone.x
    assert not layout.verdict(Span(0, 600, 630), ignoring=2).taken
    assert layout.verdict(Span(0, 600, 630)).taken
    assert layout.at(Cell(0, 600)) is layout.by_id[2]


@given(st.lists(st.tuples(st.integers(480, 1000), st.integers(5, 90), st.sampled_from(["scheduled", "cancelled"])), max_size=25))
def test_no_two_blocks_ever_cover_each_other(spans: list[tuple[int, int, str]]) -> None:
    blocks = [block(n, start, start + length, status=status) for n, (start, length, status) in enumerate(spans, 1)]
    layout = DayLayout(schedule(*blocks), UTC, 240, 900)
    active = [p for p in layout.placed[0] if not p.aside]
    for n, one in enumerate(active):
        for other in active[n + 1:]:
            if one.start < other.end and other.start < one.end:
                assert one.left + one.share <= other.left + 1e-9 or other.left + other.share <= one.left + 1e-9
        for gone in (p for p in layout.placed[0] if p.aside):
            if one.start < gone.end and gone.start < one.end:
                assert one.left + one.share <= gone.left + 1e-9


@given(st.lists(st.tuples(st.integers(480, 1000), st.integers(1, 200)), max_size=30), st.integers(0, 900), st.integers(10, 400))
def test_what_is_in_view_is_never_left_out(spans: list[tuple[int, int]], top: int, height: int) -> None:
    layout = DayLayout(schedule(*[block(n, s, s + length) for n, (s, length) in enumerate(spans, 1)]), UTC)
    seen = {p.block.id for p in layout.in_view(0, top, top + height)}
    for placed in layout.placed[0]:
        rect = layout.rect(placed)
        if rect.y < top + height and rect.y + rect.height > top:
            assert placed.block.id in seen


def test_what_stands_against_a_place() -> None:
    layout = DayLayout(schedule(block(1, 600, 630)), UTC)
    assert "Person 1 10:00–10:30" in layout.verdict(Span(0, 615, 645)).reason
    assert not layout.verdict(Span(0, 630, 645)).taken, "half-open: one may end where the next begins"
    assert layout.verdict(Span(0, 12 * 60, 12 * 60 + 30)).unusual
    assert layout.verdict(Span(1, 600, 630)) == layout.verdict(Span(0, 540, 600))


def test_hit_and_edge() -> None:
    layout = DayLayout(schedule(block(1, 600, 660)), UTC)
    rect = layout.rect(layout.by_id[1])
    assert layout.block_at(rect.x + 5, rect.y + 5) is layout.by_id[1]
    assert layout.block_at(rect.x + 5, rect.y + rect.height + 3) is None
    assert layout.on_edge(layout.by_id[1], rect.y + rect.height - 2)
    assert not layout.on_edge(layout.by_id[1], rect.y + 10)


def test_dragging_empty_space_makes_a_range() -> None:
    layout = DayLayout(schedule(), UTC)
    drag = Drag(layout, 10, layout.y(600) + 2)
    drag.to(layout, 10, layout.y(645))
    assert (drag.mode, drag.span) == (Mode.CREATE, Span(0, 600, 645))
    drag.to(layout, 10, layout.y(570))
    assert drag.span == Span(0, 570, 615)


def test_dragging_a_block_keeps_its_length_and_sees_conflicts() -> None:
    layout = DayLayout(schedule(block(1, 600, 620), block(2, 660, 690, doctor=2)), UTC)
    drag = Drag(layout, 10, layout.y(605), block=layout.by_id[1])
    drag.to(layout, layout.column_width + 10, layout.y(665))
    assert drag.span == Span(1, 660, 680)
    assert drag.verdict.taken
    drag.to(layout, layout.column_width + 10, layout.y(695))
    assert drag.span == Span(1, 690, 710)
    assert not drag.verdict.taken
    assert drag.changed


def test_dragging_the_lower_edge_resizes_and_never_below_one_step() -> None:
    layout = DayLayout(schedule(block(1, 600, 660)), UTC)
    drag = Drag(layout, 10, layout.y(659), block=layout.by_id[1], resize=True)
    drag.to(layout, 400, layout.y(690))
    assert drag.span == Span(0, 600, 690)
    drag.to(layout, 400, layout.y(500))
    assert drag.span == Span(0, 600, 615)


def test_a_completed_visit_cannot_be_dragged() -> None:
    layout = DayLayout(schedule(block(1, 600, 660, status="completed")), UTC)
    assert not Drag(layout, 10, layout.y(610), block=layout.by_id[1]).possible


def test_keys_move_by_one_step_and_stay_inside() -> None:
    layout = DayLayout(schedule(block(1, 600, 630)), UTC)
    placed = layout.by_id[1]
    span = Span(0, 600, 630)
    assert nudged(layout, placed, span, 1, 0) == Span(1, 600, 630)
    assert nudged(layout, placed, span, -1, 1) == Span(0, 615, 645)
    assert nudged(layout, placed, span, 0, 2, resize=True) == Span(0, 600, 660)
    assert nudged(layout, placed, Span(0, layout.last - 30, layout.last), 0, 5).end == layout.last


def test_reading_order_ends_so_that_tab_can_leave() -> None:
    layout = DayLayout(schedule(block(1, 600, 630, doctor=2), block(2, 540, 570), block(3, 600, 615)), UTC)
    order, here = [], layout.following(None, 1)
    while here is not None:
        order.append(here.block.id)
        here = layout.following(here.block.id, 1)
    assert order == [2, 3, 1]
    assert layout.following(2, -1) is None
