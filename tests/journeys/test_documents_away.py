"""The document server goes away during a consultation and comes back: the doctor sees a count, nothing else; one delivery."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clinicdesk.services import attachments, visits
from tests.files import pdf
from tests.journeys.hands import own_office
from tests.screens.test_two_desks import consulting
from ui.dialogs.files import FilesSheet, Source
from ui.theme import Theme

LETTER = pdf("Kept while the document server is away")


def test_the_document_server_is_away_and_returns(clinic_folder: Path, theme: Theme, qtbot: Any) -> None:
    with own_office(clinic_folder, theme, qtbot) as (office, practice):
        servers = practice.clinic.servers
        assert servers is not None and servers.embedded is not None
        patient_id = practice.patient(first_name="Ana", last_name="Adler")
        made = practice.book(patient_id, practice.at(9))
        practice.step(made, "arrived")
        dora = office.open("dora")
        room = consulting(office, dora, made)
        office.click(room.start_button)
        office.until(lambda: room.editor is not None, "the consultation opens")
        office.fill(room.editor.notes.editor("subjective"), "Cough for a week.")

        servers.embedded.stop_documents()
        assert servers.embedded.running() == {"database": True, "documents": False}
        office.fill(room.editor.notes.editor("plan"), "Fluids, rest.")
        office.click(room.editor.complete_button)
        office.until(lambda: room.editor is None, "the visit is completed")
        office.until(lambda: len(room.chart.visits.texts) == 1, "the visit stands in the chart")
        assert room.chart.visits.texts[0].source == "database"
        office.until(dora.status.outbox.isVisible, "the status line says so")
        assert dora.status.outbox.text() == "1 visit waiting for the visit history"
        assert not dora.connection.isVisible(), "no banner: the doctor can do everything"
        assert dora._problem is None

        view = room.chart.attachments
        room.chart.tabs.setCurrentWidget(view)
        view.add([Source("letter.pdf", len(LETTER), None, LETTER)])
        office.click(office.sheet(FilesSheet).verb_button)
        office.until(lambda: [row.delivered for row in view.table.rows] == [False], "a document is kept all the same")
        office.until(lambda: view.preview.content == LETTER, "and opens from where it waits")

        servers.revive()
        office.until(lambda: not dora.status.outbox.isVisible(), "the count goes away by itself", patience=60)
        with practice.read("dora") as session:
            rows = visits.of_patient(session, patient_id)
            assert [row.delivered for row in rows] == [True]
            stored = practice.clinic.documents.get_visits([f"{row.id}:{row.revision}" for row in rows])
        assert len(stored) == practice.clinic.documents.count() == 1, "delivered exactly once"
        with practice.clinic.worker_database.read() as session:
            assert visits.waiting(session) == []
        office.until(lambda: [row.delivered for row in view.table.rows] == [True], "the list says so by itself", patience=60)
        with practice.read("dora") as session:
            assert attachments.content(session, view.table.rows[0].id) == LETTER
        assert practice.clinic.documents.count_files() == 1, "delivered exactly once"
