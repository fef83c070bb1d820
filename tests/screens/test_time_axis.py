"""The time axis and the growth charts in the chart: by mouse and by keys, to the source of every mark, on paper."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pypdf
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from sqlalchemy import insert

from clinicdesk.errors import NotAllowed
from clinicdesk.models.clinical import Vitals
from clinicdesk.rules.time_axis import Span
from clinicdesk.services import chart, growth, records, timeline
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_recovery import room_of
from tests.visiting import completed, counted, started


def measured(practice: Practice, patient: str, count: int, years: float, weight: tuple[float, float], height: tuple[float, float]) -> None:
    now = datetime.now(UTC)
    rows = []
    for number in range(count):
        share = number / max(1, count - 1)
        rows.append({"patient_id": patient, "taken_at": now - timedelta(days=365 * years * (1 - share)), "pulse": 60 + number % 30,
                     "weight": Decimal(f"{weight[0] + (weight[1] - weight[0]) * share:.2f}"),
                     "height": Decimal(f"{height[0] + (height[1] - height[0]) * share:.1f}")})
    with practice.clinic.as_owner() as session:
        session.execute(insert(Vitals), rows)


@pytest.fixture
def patient(practice: Practice) -> str:
    made = practice.patient(first_name="Ana", last_name="Adler")
    measured(practice, made, 40, 6, (68, 71), (170, 170))
    completed(practice, made, hour=8)
    with practice.write("dora") as session:
        chart.add_allergy(session, made, "penicillin")
        records.add(session, made, "letter", "Letter from cardiology", "text")
    started(practice, made, hour=14)
    return made


@pytest.fixture
def room(office: Office, practice: Practice, patient: str) -> Any:
    found = room_of(office, practice, patient)
    found.chart.show_tab(found.chart.timeline)
    office.until(lambda: found.chart.timeline.history is not None)
    office.settle()
    return found


def test_the_frame_of_the_focus_leaves_the_axis_to_be_seen(office: Office, room: Any) -> None:
    axis = room.chart.timeline.axis
    axis.setFocus()
    office.until(axis.hasFocus)
    picture, surface = axis.grab().toImage(), office.theme.color("surface").rgb()
    seen = [picture.pixel(x, y) == surface for x in range(4, picture.width(), 7) for y in range(4, picture.height(), 7)]
    assert sum(seen) > len(seen) / 2, "the ground is the surface, not one block of colour"


def kinds(axis: Any) -> set[str]:
    return {mark.kind for mark in axis.drawn.marks}


def test_everything_that_has_a_time_is_on_it(room: Any) -> None:
    axis = room.chart.timeline.axis
    assert kinds(axis) >= {"visit", "document", "paper", "allergy", "medicine", "pulse", "weight"}


def test_zoom_and_pan_by_keys_and_mouse_keep_the_moment_under_the_pointer(office: Office, room: Any) -> None:
    axis = room.chart.timeline.axis
    axis.setFocus()
    before = (axis.begins, axis.ends)
    office.keys("+", "+")
    assert axis.ends - axis.begins < (before[1] - before[0]) * 0.6
    middle = (axis.begins + axis.ends) / 2
    QTest.keyClick(axis, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert (axis.begins + axis.ends) / 2 < middle
    QTest.mousePress(axis, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(300, 40))
    begins = axis.begins
    for x in (310, 340, 380):
        QTest.mouseMove(axis, QPoint(x, 40))
        event = mouse_move(QPoint(x, 40))
        axis.mouseMoveEvent(event)
    QTest.mouseRelease(axis, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(380, 40))
    assert axis.begins < begins, "dragged to the right, earlier times come in"
    office.keys(Qt.Key.Key_Home)
    assert (axis.begins, axis.ends) == pytest.approx(before)


def mouse_move(at: QPoint) -> Any:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    return QMouseEvent(QEvent.Type.MouseMove, QPointF(at), QPointF(at), Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton,
                       Qt.KeyboardModifier.NoModifier)


def test_every_mark_leads_to_its_source(office: Office, room: Any) -> None:
    axis, view = room.chart.timeline.axis, room.chart
    for kind, tab in (("visit", view.visits), ("document", view.records)):
        axis._open(next(mark for mark in axis.drawn.marks if mark.kind == kind))
        office.settle()
        assert view.tabs.currentWidget() is tab
        view.tabs.setCurrentWidget(view.timeline)
        office.settle()
    axis._open(next(mark for mark in axis.drawn.marks if mark.kind == "allergy"))
    assert view.tabs.currentIndex() == 0


def test_marks_are_reached_and_opened_by_keys(office: Office, room: Any) -> None:
    axis = room.chart.timeline.axis
    axis.setFocus()
    opened: list[tuple[str, object]] = []
    axis.opened.connect(lambda kind, ref: opened.append((kind, ref)))
    office.keys(Qt.Key.Key_Right, Qt.Key.Key_Return)
    assert opened and opened[0][0] == axis.drawn.marks[0].kind


def test_the_place_reached_by_keys_outlives_another_width_and_another_reading(office: Office, room: Any) -> None:
    view, axis = room.chart.timeline, room.chart.timeline.axis
    axis.setFocus()
    office.keys(Qt.Key.Key_Right, Qt.Key.Key_Right)
    reached = (axis._marked.kind, axis._marked.ref)
    width = axis.width()
    room.split.setSizes([620, 460])
    office.until(lambda: axis.width() != width)
    assert (axis._marked.kind, axis._marked.ref) == reached
    before = view.history
    view.show_patient(view.patient_id)
    office.until(lambda: view.history is not before)
    assert (axis._marked.kind, axis._marked.ref) == reached
    assert axis._marked in axis.drawn.marks, "where it is drawn now, not where it was"


def test_lanes_and_plots_can_be_chosen(room: Any) -> None:
    view = room.chart.timeline
    view._kinds.discard("visit")
    view._plots.add("height")
    view._choose()
    assert "visit" not in kinds(view.axis) and "height" in kinds(view.axis)


def test_it_prints_and_opens_wide_under_the_banner(office: Office, room: Any) -> None:
    view = room.chart.timeline
    view.print_view()
    office.until(lambda: view.paper.content)
    words = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(view.paper.content)).pages)
    for expected in ("ADLER, Ana", "Visits", "Medicines", "penicillin", "Weight", "TIME AXIS"):
        assert expected in words
    view.paper.close()
    view.show_wide()
    wide = view.window_of_its_own
    office.until(lambda: wide.banner.banner is not None and wide.view.history is not None)
    assert wide.banner.width() == wide.width() and wide.banner.y() == 0
    wide.close()


def test_the_axis_costs_the_same_number_of_queries_whatever_the_history(practice: Practice, patient: str) -> None:
    with practice.read("dora") as session, counted(session) as few:
        timeline.history(session, patient)
    measured(practice, patient, 200, 3, (70, 71), (170, 170))
    for hour in (15, 16):
        completed(practice, patient, hour=hour)
    with practice.read("dora") as session, counted(session) as many:
        timeline.history(session, patient)
    assert len(few) == len(many)


def test_a_renewed_medicine_is_one_bar() -> None:
    def span(begins: float, ends: float | None, title: str = "amlodipine 5 mg", ref: int = 1) -> Span:
        return Span("medicine", begins * 86_400, None if ends is None else ends * 86_400, title, ref)

    assert timeline.courses([span(0, 28), span(30, 58, ref=2), span(100, 128, ref=3)]) == [span(0, 58, ref=2), span(100, 128, ref=3)]
    assert timeline.courses([span(0, None), span(30, 58, ref=2)]) == [span(0, None, ref=2)]
    assert len(timeline.courses([span(0, 28), span(5, 9, "paracetamol 500 mg")])) == 2


def test_nobody_without_care_reads_it(practice: Practice, patient: str) -> None:
    for who in ("hugo", "rita", "ada"):
        with pytest.raises(NotAllowed), practice.read(who) as session:
            timeline.history(session, patient)
        with pytest.raises(NotAllowed), practice.read(who) as session:
            growth.record(session, patient)


def test_growth_charts_are_for_children(office: Office, practice: Practice, room: Any) -> None:
    assert room.chart.tabs.indexOf(room.chart.growth) < 0
    born = datetime.now(UTC).date() - timedelta(days=1380)
    child = practice.patient(first_name="Tim", last_name="Klein", born=born.isoformat(), sex="M")
    measured(practice, child, 12, 3.7, (3.6, 15.9), (51, 100))
    started(practice, child, hour=15)
    found = room_of(office, practice, child)
    office.until(lambda: found.chart.tabs.indexOf(found.chart.growth) > 0)
    found.chart.tabs.setCurrentWidget(found.chart.growth)
    view = found.chart.growth
    office.until(lambda: "centile" in view.words.text())
    assert view.words.text().startswith("15.9 kg on ")
    office.click(view.buttons["height"])
    assert view.words.text().startswith("100 cm on ") and len(view.drawing.picture.marks) == 12
    view.print_charts()
    office.until(lambda: view.paper.content)
    words = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(view.paper.content)).pages)
    assert "KLEIN, Tim" in words and "WHO Child Growth Standards 2006" in words and "Body mass index" in words
    view.paper.close()
    found.show_topic("patient", practice.patient(first_name="Olga", last_name="Other"))
    office.until(lambda: found.chart.tabs.indexOf(found.chart.growth) < 0, "nor is one offered of a record that is shut")
    assert found.chart.tabs.currentIndex() == 0


def test_held_keys_never_leave_the_history(office: Office, room: Any) -> None:
    axis = room.chart.timeline.axis
    axis.setFocus()
    first, last = axis._history.extent()
    for key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
        axis.show_all()
        for _ in range(600):
            axis.pan(-0.8 if key == Qt.Key.Key_PageUp else 0.8)
        office.keys(key)
        assert axis.begins < last and axis.ends > first and axis.drawn.height > 0
    axis.show_all()
    for _ in range(60):
        office.keys(Qt.Key.Key_Minus)
    for _ in range(60):
        office.keys(Qt.Key.Key_Plus)
    assert 0 < axis.ends - axis.begins <= 2 * (last - first)


def test_a_late_answer_never_shows_somebody_else(office: Office, room: Any, patient: str) -> None:
    for view in (room.chart.timeline, room.chart.growth):
        view.show_patient(patient)
        view.clear()
        office.settle()
        assert getattr(view, "history", None) is None and getattr(view, "record", None) is None


def test_what_happened_within_minutes_is_chosen_from_a_list(office: Office, practice: Practice, patient: str, room: Any) -> None:
    with practice.write("dora") as session:
        for title in ("first letter", "second letter"):
            records.add(session, patient, "letter", title, "text")
    view = room.chart.timeline
    view.show_patient(patient)
    office.until(lambda: sum(e.kind == "document" for e in view.history.events) == 3)
    axis, opened = view.axis, []
    axis.opened.connect(lambda kind, ref: opened.append((kind, ref)))
    for _ in range(6):
        if axis.menu is None:
            axis._open(next(mark for mark in axis.drawn.marks if mark.kind == "group" and mark.tip.startswith("3 ")))
    assert axis.menu is not None, "zooming alone never takes them apart"
    chosen = next(action for action in axis.menu.actions() if "second letter" in action.text())
    chosen.trigger()
    assert [kind for kind, _ in opened] == ["document"]
    axis.menu.close()
