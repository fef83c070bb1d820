"""Signed papers in a clinic: keys, issue, cancelling, the trust list; and what raw SQL at a desk cannot do."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from clinicdesk.cli import app
from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.pdf import signatures
from clinicdesk.pdf.reading import page_texts
from clinicdesk.services import papers, prescribing, signing
from clinicdesk.services.papers import PaperDraft
from clinicdesk.verifying import papers as verifying
from clinicdesk.verifying.trust import TrustBroken, load, read, store
from tests.clinics import Practice
from tests.visiting import AS_NEEDED, CANARY, FULL, TABLET, as_owner, completed, raw, started

NOTE = PaperDraft("SN", {"unfit": "work", "remarks": "Light duties afterwards."}, date(2026, 11, 20), date(2026, 11, 24))
LETTER = PaperDraft("RL", {"whom": "Dr Eva Braun-Lund, cardiology", "why": "Chest pain on effort.",
                           "history": f"{CANARY} " + "Walks daily. " * 60,
                           "medicines": "amlodipine 5 mg"})


def issued(practice: Practice, patient: str, draft: PaperDraft, who: str = "dora") -> str:
    with practice.write(who) as session:
        return papers.issue(session, papers.source_for(session, patient, draft.kind), draft)


def pdf_of(practice: Practice, number: str, who: str = "dora") -> bytes:
    with practice.read(who) as session:
        return papers.stored_pdf(session, number).content


def trust(practice: Practice, who: str = "dora") -> str:
    with practice.write(who) as session:
        return signing.trust_list(session)


def test_each_paper_is_signed_by_the_doctor_and_verifies_without_the_clinic(practice: Practice, tmp_path: Path) -> None:
    patient = practice.patient()
    done = completed(practice, patient)
    with practice.read("dora") as session:
        summary = PaperDraft("VS", papers.suggested(session, papers.source_for(session, patient, "VS"), "VS"))
    assert summary.texts["plan"] == "Rest and fluids." and "amlodipine" in summary.texts["medicines"]
    numbers = [done.prescription_number, *(issued(practice, patient, draft) for draft in (NOTE, LETTER, summary))]
    known = read(trust(practice))
    for number in numbers:
        found = verifying.check_bytes(pdf_of(practice, number), known)
        assert (found.status, found.differences, found.number) == ("valid", (), number), found
        assert found.signed_by == "Dr Dora Kim, registration LIC-dora"
    words = " ".join(" ".join(page.text.split()) for page in page_texts(pdf_of(practice, numbers[1])))
    assert "From 20 November 2026 to 24 November 2026, 5 days" in words and "Born 03 May 1980" in words and "Diagnosis" not in words
    assert "Electronically signed by Dr Dora Kim on" in words and "End of this paper" in words
    words = " ".join(" ".join(page.text.split()) for page in page_texts(pdf_of(practice, numbers[2])))
    assert "Allergies not recorded" in words and words.count("Walks daily.") == 60
    with practice.read("dora") as session:
        rows = papers.of_patient(session, patient)
    assert {r.kind for r in rows} == {"RX", "SN", "RL", "VS"} and all(r.doctor_name == "Dr Dora Kim" for r in rows)
    (sealed,) = as_owner(practice, "select string_agg(encode(pdf, 'escape'), '') || (select string_agg(encode(canonical, 'escape'), '')"
                                   " from clinic.signatures) from clinic.papers")
    assert CANARY not in str(sealed) and "Walks" not in str(sealed)
    # and from the command line
    store(tmp_path / "trust.json", trust(practice))
    (tmp_path / "paper.pdf").write_bytes(pdf_of(practice, numbers[0]))
    run = CliRunner().invoke(app, ["verify", str(tmp_path / "paper.pdf"), "--trust", str(tmp_path / "trust.json"), "--json"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout)["status"] == "valid"
    (tmp_path / "paper.pdf").write_bytes(pdf_of(practice, numbers[0]).replace(b"/Producer", b"/Producez"))
    run = CliRunner().invoke(app, ["verify", str(tmp_path / "paper.pdf"), "--data-dir", str(tmp_path)])
    assert run.exit_code == 1 and run.stdout.startswith("ALTERED"), run.output
    assert CliRunner().invoke(app, ["verify", "nothing here", "--data-dir", str(tmp_path)]).exit_code in {1, 2}


def test_cancelled_is_for_good_and_known_to_whoever_has_the_list(practice: Practice, tmp_path: Path) -> None:
    patient = practice.patient()
    done = completed(practice, patient)
    number = done.prescription_number
    before, issued_pdf = trust(practice), pdf_of(practice, number)
    with pytest.raises(Invalid), practice.write("dora") as session:
        papers.cancel(session, number, " x ")
    with pytest.raises(NotAllowed), practice.write("hugo") as session:
        papers.cancel(session, number, "not my patient")
    with practice.write("dora") as session:
        papers.cancel(session, number, f"Wrong strength. {CANARY}")
    with pytest.raises(ClinicError, match="cancelled already"), practice.write("dora") as session:
        papers.cancel(session, number, "again")
    with practice.read("dora") as session:
        (row,) = papers.of_patient(session, patient)
        assert papers.is_cancelled(session, number)
    assert row.voided_at is not None and (row.voided_by, row.reason) == ("Dr Dora Kim", f"Wrong strength. {CANARY}")
    pdf = pdf_of(practice, number)
    assert "CANCELLED" in page_texts(pdf)[0].text
    assert verifying.check_bytes(pdf, read(before)).status == "cancelled", "the old list does not know; the mark on the file says it"
    assert verifying.check_bytes(issued_pdf, read(before)).status == "valid", "nothing says so here"
    found = verifying.check_bytes(pdf, read(trust(practice)))
    assert found.status == "cancelled" and found.cancelled_at
    assert store(tmp_path / "trust.json", trust(practice)) and load(tmp_path / "trust.json").cancelled[0].number == number
    with raw(practice, "dora") as connection:
        for statement in ("delete from clinic.voids", "update clinic.voids set number = number",
                          "update clinic.voids set voided_at = now()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)
    # issued again with the same lines
    with practice.read("dora") as session:
        lines = papers.lines_again(session, number)
    assert [line.medicine for line in lines] == ["amlodipine", "paracetamol"]
    wanted = [line.directions for line in prescribing.checked_items([TABLET, AS_NEEDED])]
    assert [line.directions for line in prescribing.checked_items(lines)] == wanted


def test_another_doctor_in_care_may_cancel_and_is_named(practice: Practice) -> None:
    patient = practice.patient()
    number = completed(practice, patient).prescription_number
    practice.book(patient, practice.at(14), "hugo")
    with practice.write("hugo") as session:
        papers.cancel(session, number, "Interaction found.")
    with practice.read("hugo") as session:
        assert papers.of_patient(session, patient)[0].voided_by == "Dr Hugo Blanc"


@pytest.mark.parametrize(("draft", "field"), [
    (replace(NOTE, first=None), "first"), (replace(NOTE, last=None), "last"), (replace(NOTE, last=date(2026, 11, 19)), "last"),
    (replace(NOTE, last=date(2028, 1, 1)), "last"), (replace(NOTE, with_diagnosis=True), "diagnosis"),
    (replace(NOTE, texts={"unfit": ""}), "unfit"), (replace(NOTE, texts={"unfit": "work", "remarks": "rest qd"}), "remarks"),
    (replace(LETTER, texts={"whom": "Dr X"}), "why"), (replace(LETTER, texts={**LETTER.texts, "history": "x" * 4001}), "history"),
])
def test_what_is_missing_or_would_be_misread_is_refused_at_its_field(practice: Practice, draft: PaperDraft, field: str) -> None:
    patient = practice.patient()
    started(practice, patient)
    with pytest.raises(Invalid) as refused:
        issued(practice, patient, draft)
    assert refused.value.field == field
    assert as_owner(practice, "select count(*) from clinic.papers") == [(0,)]


def test_papers_come_from_a_consultation_of_ones_own(practice: Practice) -> None:
    patient = practice.patient()
    practice.book(patient, practice.at(9), "dora")
    for kind in ("SN", "VS"):
        with pytest.raises(Invalid, match="There is no"), practice.read("dora") as session:
            papers.source_for(session, patient, kind)
    open_one = started(practice, patient, hour=11)
    assert issued(practice, patient, NOTE).startswith("SN-")
    with pytest.raises(Invalid, match="signed visit"), practice.read("dora") as session:
        papers.source_for(session, patient, "VS")
    with pytest.raises(ClinicError, match="signed one"), practice.write("dora") as session:
        papers.issue(session, open_one, PaperDraft("VS", {"plan": "rest"}))
    practice.book(patient, practice.at(15), "hugo")
    for who in ("hugo", "rita"):
        with pytest.raises(NotAllowed), practice.write(who) as session:
            papers.issue(session, open_one, NOTE)


def test_nothing_is_issued_when_signing_fails(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = practice.patient()

    def broken(*_args: object) -> None:
        raise OSError("no entropy")
    monkeypatch.setattr(signatures, "_block_digests", broken)
    with pytest.raises(signatures.CannotSign):
        completed(practice, patient)
    assert as_owner(practice, "select (select count(*) from clinic.prescriptions), (select count(*) from clinic.visits)") == [(0, 0)]


def test_keys_are_each_doctors_own_and_old_ones_keep_verifying(practice: Practice) -> None:
    patient = practice.patient()
    first = completed(practice, patient).prescription_number
    with practice.write("dora") as session:
        old = signing.signer(session).key.key_id
        signing.retire(session)
        new = signing.signer(session)
        assert new.key.key_id != old and new.name == "Dr Dora Kim"
    second = completed(practice, patient, hour=11).prescription_number
    known = read(trust(practice))
    assert [verifying.check_bytes(pdf_of(practice, number), known).status for number in (first, second)] == ["valid", "valid"]
    assert [bool(key.valid_to) for key in known.keys] == [True, False]
    with practice.read("rita") as session:
        assert session.connection().exec_driver_sql("select count(*), max(owner_name) from clinic.signing_keys").one() == (2, "Dr Dora Kim")
        assert session.connection().exec_driver_sql("select count(*) from clinic.signing_secrets").scalar() == 0
        with pytest.raises(NotAllowed):
            signing.signer(session)
    with practice.read("hugo") as session:
        assert session.connection().exec_driver_sql("select count(*) from clinic.signing_secrets").scalar() == 0


def test_two_windows_of_a_new_doctor_make_one_key_and_every_doctor_renews_the_list(practice: Practice, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        lists = list(pool.map(lambda _n: trust(practice), range(4)))
    assert as_owner(practice, "select count(*) from clinic.signing_keys") == [(1,)]
    place = tmp_path / "trust.json"
    store(place, lists[0], own=True)
    hers = trust(practice, "hugo")
    with pytest.raises(TrustBroken, match="does not know"):
        store(place, hers)
    assert len(store(place, hers, own=True).keys) == 2
    assert len(store(place, trust(practice)).keys) == 2, "now she is known here"


def test_raw_sql_cannot_sign_for_another_issue_unsigned_or_change_a_key(practice: Practice) -> None:
    patient = practice.patient()
    done = completed(practice, patient)
    consultation = started(practice, patient, hour=13)
    practice.book(patient, practice.at(16), "hugo")
    completed(practice, practice.patient(), hour=9, doctor="hugo")
    people = dict(as_owner(practice, "select username, id from auth.users"))
    keys = dict(as_owner(practice, "select user_id, id from clinic.signing_keys"))
    insert_key = "insert into clinic.signing_keys (user_id, public_key, certificate) values (%s, %s, %s)"
    sign = ("insert into clinic.signatures (number, patient_id, prescription_id, key_id, signed_by, canonical, signature)"
            " values (%s, %s, %s, %s, %s, %s, %s)")
    unsigned = ("insert into clinic.papers (kind, number, consultation_id, patient_id, doctor_id, page, pdf, pdf_sha256)"
                " values ('SN', 'SN-0000-0000', %s, %s, %s, 'A4', 'x', %s)")
    rest = (b"x" * 40, b"x" * 64)
    as_owner(practice, "delete from clinic.signatures where number = %s", done.prescription_number)
    with raw(practice, "hugo") as connection:
        def refused(statement: str, *values: object) -> str:
            try:
                with connection.transaction():
                    connection.execute(statement, values)
                    connection.execute("set constraints all immediate")
            except psycopg.Error as error:
                return error.diag.constraint_name or str(error.sqlstate)
            return "done"

        assert refused(insert_key, people["dora"], b"k" * 32, b"c" * 200) in {"42501", "signing_key_own"}
        for change in ("public_key = public_key", "owner_name = 'Dr Evil'", "certificate = certificate", "user_id = user_id"):
            assert refused(f"update clinic.signing_keys set {change}") == "42501", change
        assert refused("delete from clinic.signing_keys") == "42501"
        number, prescription = done.prescription_number, done.prescription_id
        assert refused(sign, number, patient, prescription, keys[people["dora"]], people["dora"], *rest) in {"42501", "signature_own"}
        assert refused(sign, number, patient, prescription, keys[people["hugo"]], people["hugo"], *rest) == "signature_own"
        assert refused(sign, number, patient, prescription, keys[people["dora"]], people["hugo"], *rest) == "signature_own"
        connection.execute("update clinic.signing_keys set retired_at = now() where user_id = auth.me()")
        assert refused("update clinic.signing_keys set retired_at = null where user_id = auth.me()") == "signing_key_kept"
    with raw(practice, "dora") as connection:
        with pytest.raises(psycopg.Error) as error:
            connection.execute(unsigned, (consultation, patient, practice.doctors["dora"], b"x" * 32))
            connection.execute("set constraints all immediate")
        assert error.value.diag.constraint_name == "paper_unsigned"
    with raw(practice, "dora") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("insert into clinic.papers (issued_at) values ('2020-01-01')")


def test_a_summary_needs_no_document_server_and_hides_nothing_from_later_prints(practice: Practice) -> None:
    patient = practice.patient()
    completed(practice, patient, replace(FULL, items=()))
    number = issued(practice, patient, PaperDraft("VS", {"plan": "Rest."}))
    with practice.write("dora") as session:
        first = papers.stored_pdf(session, number)
        assert papers.printed(session, number) == 1
        assert papers.stored_pdf(session, number).content.startswith(first.content)
        assert papers.stored_pdf(session, number).content != first.content
    with pytest.raises(NotAllowed), practice.write("rita") as session:
        papers.printed(session, number)
