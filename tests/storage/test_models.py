"""The models, the migrated database, the rules and the sentences say the same; and what no table may be without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from clinicdesk.models import Base
from clinicdesk.paths import migrations_dir
from clinicdesk.rules import steps
from clinicdesk.storage.addresses import Addresses, libpq_address
from clinicdesk.storage.translation import SENTENCES
from tests.clinics import in_other_database

GUARDS = sorted((migrations_dir() / "sql").glob("*.sql"))
SCHEMAS = "('auth'::regnamespace, 'clinic'::regnamespace, 'audit'::regnamespace)"
OURS_AND_JOBS = "('auth'::regnamespace, 'clinic'::regnamespace, 'audit'::regnamespace, 'jobs'::regnamespace)"
#: Tables the migration makes for its own guards; no service reads them through a model.
ONLY_IN_SQL = {"clinic.appointment_steps"}
#: Constraints that only a bug of ours can hit, because nobody types or chooses these values.
OURS = {
    "ck_patients_id", "ck_patient_terms_kind", "ck_patient_terms_term", "ck_patient_keys_purpose", "ck_patient_keys_wrapped",
    "ck_sealed_fields_field", "ck_users_role", "ck_users_patient", "uq_users_patient_id", "uq_doctors_user_id", "ck_credentials_salt",
    "ck_credentials_verifier", "ck_credentials_strength", "ck_secrets_one_row", "ck_sessions_workstation", "uq_sessions_token_hash",
    "ck_tries_given", "ck_second_factors_secret", "ck_one_time_codes_hash", "ck_one_time_codes_purpose", "ck_one_time_codes_expires_at",
    "ck_sessions_pending",
    "ck_settings_key", "ck_appointments_status", "ck_appointments_lane", "ck_working_hours_weekday", "ck_consultations_status",
    "ck_consultations_signature", "ck_consultations_content_sha256", "ck_drafts_body", "ck_notes_kind", "ck_notes_body",
    "ck_records_kind", "ck_records_description", "uq_records_appointment_id", "ck_annotations_body",
    "ck_prescriptions_number", "uq_prescriptions_number", "ck_prescriptions_pdf_sha256", "ck_prescriptions_page",
    "ck_prescriptions_printed", "ck_prescription_items_position", "uq_prescription_items_prescription_id_position",
    "uq_visits_appointment_id_revision", "ck_visit_outbox_visit", "ck_problems_dates", "ck_medicines_dates", "ck_medicines_texts",
    "ck_medicines_description", "ck_allergies_category", "ck_allergies_severity", "uq_problems_patient_id_source_key",
    "uq_allergies_patient_id_source_key", "uq_medicines_patient_id_source_key", "uq_vitals_patient_id_source_key",
    "uq_records_patient_id_source_key",
    "ck_backup_proofs_file_name", "ck_backup_proofs_file_size", "ck_backup_proofs_sha256",
    "ck_series_rule", "ck_desk_actions_kind", "ck_desk_actions_changes", "ck_desk_actions_state", "ck_desk_actions_note",
    "ck_waiting_list_urgency", "ck_waiting_list_status", "ck_offers_times", "ck_offers_status", "uq_tickets_day_number",
    "ck_tickets_number", "ck_tickets_room", "ck_messages_kind", "ck_notifications_kind", "uq_notifications_unread", "uq_messages_waiting",
    # Emergency access
    "ck_access_grants_expires", "ck_access_grants_reason", "ck_access_grants_reviewed", "ck_access_grants_verdict",
    # Money
    "uq_charges_request_key", "uq_charges_open", "uq_receipts_number", "uq_receipts_request_key", "ck_receipts_number", "ck_receipts_kind",
    "ck_receipts_currency", "ck_receipts_printed", "ck_payments_kind", "ck_payments_method", "ck_payments_charge", "ck_payments_refunded",
    "ck_payments_till", "ck_wallets_balance", "uq_wallet_entries_payment_id", "uq_wallet_entries_request_key", "ck_wallet_entries_kind",
    "ck_wallet_entries_balance_after", "ck_wallet_entries_payment", "uq_session_log_key", "ck_session_log_kind", "ck_session_log_note",
    # Attachments and immunizations
    "ck_attachments_kind", "ck_attachments_chunks", "ck_attachments_sealed_sha256", "ck_attachments_copy",
    "ck_attachment_chunks_position", "ck_attachment_chunks_body", "uq_immunizations_patient_id_source_key", "ck_immunizations_precision",
    "ck_immunizations_source", "ck_immunizations_status", "ck_allergies_source", "ck_allergies_verification",
    # Papers: made by the program alone
    "uq_signing_keys_public_key", "uq_signing_keys_in_use", "ck_signing_keys_public_key", "ck_signing_keys_certificate",
    "ck_signing_secrets_wrapped", "uq_papers_number", "ck_papers_kind", "ck_papers_number", "ck_papers_pdf_sha256", "ck_papers_page",
    "ck_papers_printed", "uq_signatures_number", "ck_signatures_of", "ck_signatures_signature", "ck_signatures_canonical",
    # The register
    "ck_diagnoses_position", "ck_diagnoses_system", "ck_diagnoses_code", "uq_diagnoses_consultation_id_position", "ck_addenda_position",
    "uq_addenda_consultation_id_position",
    "ck_name_spellings_word", "ck_different_people_order", "ck_merges_undone",
    # Keys and erasure
    "ck_clinic_keys_generation", "ck_clinic_keys_fingerprint", "ck_clinic_keys_former", "ck_patient_keys_generation",
    "ck_signing_secrets_generation", "ck_erasures_number", "ck_erasures_patient_id", "ck_erasures_reason", "ck_erasures_proof",
    "ck_erasures_generation", "uq_enrolments_public_key", "ck_enrolments_workstation", "ck_enrolments_public_key", "ck_enrolments_sealed",
    # Prescribing
    "ck_favourites_item", "ck_medicine_stops_reason", "ck_patient_facts_kind", "ck_patient_facts_pregnant", "ck_alert_firings_rule",
    "ck_alert_firings_tier", "ck_alert_firings_texts", "ck_alert_overrides_rule", "ck_alert_overrides_tier", "ck_alert_overrides_reason",
    "ck_alert_overrides_texts", "ck_content_approvals_content", "ck_content_approvals_sha256", "ck_content_approvals_version",
}


@pytest.fixture
def migrated(servers: Addresses, template: tuple[str, dict[str, int]]) -> Iterator[psycopg.Connection[Any]]:
    """The owner in a migrated database (the template itself, only read)."""
    with psycopg.connect(libpq_address(str(in_other_database(servers, template[0]).owner))) as connection:
        connection.read_only = True
        yield connection


COLUMNS = """
select c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
       a.attcollation::regcollation::text, pg_get_expr(d.adbin, d.adrelid)
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
 where c.relkind = 'r' and c.relnamespace in ('auth'::regnamespace, 'clinic'::regnamespace)"""
CONSTRAINTS = """
select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
 where connamespace in ('auth'::regnamespace, 'clinic'::regnamespace) and contype not in ('n', 't')"""
INDEXES = "select schemaname || '.' || tablename, indexdef, '' from pg_indexes where schemaname in ('auth', 'clinic')"


@pytest.mark.parametrize("query", [COLUMNS, CONSTRAINTS, INDEXES], ids=["columns", "constraints", "indexes"])
def test_models_equal_the_migrated_database(
    migrated: psycopg.Connection[Any], servers: Addresses, empty_database: Callable[[str], str], query: str
) -> None:
    engine = create_engine(empty_database(str(servers.owner)))
    with engine.begin() as connection:
        for name in ("auth", "clinic"):
            connection.execute(text(f"create schema {name}"))
        Base.metadata.create_all(connection)
        wanted = {tuple(row) for row in connection.exec_driver_sql(query.replace("%", "%%"))}
    engine.dispose()
    found = {row for row in migrated.execute(query) if row[0] not in ONLY_IN_SQL}
    assert found == wanted


def test_alembic_finds_nothing_to_migrate(servers: Addresses, template: tuple[str, dict[str, int]]) -> None:
    engine = create_engine(str(in_other_database(servers, template[0]).owner))
    with engine.connect() as connection:
        options = {"include_schemas": True, "include_name": lambda name, kind, _: kind != "schema" or name in {"auth", "clinic"}}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    engine.dispose()
    assert [(kind, table.fullname) for kind, table in differences] == [("remove_table", name) for name in ONLY_IN_SQL]


def test_every_constraint_a_person_can_hit_has_a_sentence(migrated: psycopg.Connection[Any]) -> None:
    names = {row[0] for row in migrated.execute(
        "select conname from pg_constraint where contype in ('c', 'u', 'x')"
        " and connamespace in ('auth'::regnamespace, 'clinic'::regnamespace)"
        " union select indexrelid::regclass::text from pg_index where indisunique and not exists"
        " (select 1 from pg_constraint where conindid = indexrelid) and indrelid::regclass::text ~ '^(auth|clinic)[.]'")}
    names = {name.split(".")[-1] for name in names if not name.startswith("ck_vitals_") or name == "ck_vitals_blood_pressure"}
    assert sorted(names - OURS - SENTENCES.keys()) == [], "give these a sentence in storage/translation.py"
    assert OURS - names == set(), "these are gone"
    assert OURS & SENTENCES.keys() == set(), "these have a sentence"
    guards = {name for file in GUARDS for name in re.findall(r"constraint = '(\w+)'", file.read_text(encoding="utf-8"))}
    assert guards <= SENTENCES.keys()
    keys = {row[0] for row in migrated.execute("select conname from pg_constraint where contype = 'p'")}
    assert SENTENCES.keys() - names - guards - keys == set(), "sentences for constraints that do not exist"


def test_sentences_are_sentences() -> None:
    for name, (kind, field, sentence) in SENTENCES.items():
        assert kind in {"duplicate", "invalid", "taken", "refused"}, name
        assert sentence[0].isupper() and sentence.endswith("."), name
        assert field or kind in {"refused", "duplicate"}, name


def test_the_database_knows_the_steps_of_the_rules(migrated: psycopg.Connection[Any]) -> None:
    rows = migrated.execute("select old_status, new_status, by_doctor_only from clinic.appointment_steps")
    stored = {(old, new): only for old, new, only in rows}
    assert set(stored) == set(steps.table())
    assert {pair for pair, only in stored.items() if only} == {pair for pair, step in steps.STEPS.items() if step.roles == {steps.DOCTOR}}


def test_row_security_is_enabled_and_forced_on_every_table(migrated: psycopg.Connection[Any]) -> None:
    tables = migrated.execute("select oid::regclass::text, relrowsecurity and relforcerowsecurity from pg_class where relkind in ('r', 'p')"
                              f" and relnamespace in {SCHEMAS}").fetchall()
    assert len(tables) > 30
    assert [name for name, forced in tables if not forced] == []


def test_no_view_and_no_public_privilege_goes_around_it(migrated: psycopg.Connection[Any]) -> None:
    assert migrated.execute("select oid::regclass from pg_class where relkind in ('v', 'm', 'f')"
                            f" and relnamespace in {SCHEMAS}").fetchall() == []
    assert migrated.execute("select c.oid::regclass, x.privilege_type from pg_class c, aclexplode(c.relacl) x where x.grantee = 0"
                            f" and c.relnamespace in {OURS_AND_JOBS}").fetchall() == []


def test_definer_functions_pin_their_search_path_and_are_granted_by_name(migrated: psycopg.Connection[Any]) -> None:
    definers = migrated.execute(
        "select oid::regprocedure::text, coalesce(array_to_string(proconfig, ','), ''), exists (select 1 from aclexplode(coalesce(proacl,"
        " acldefault('f', proowner))) x where x.grantee = 0 and x.privilege_type = 'EXECUTE') from pg_proc"
        " where prosecdef and pronamespace::regnamespace::text !~ '^pg_|^information_schema'").fetchall()
    assert len(definers) > 20
    for name, settings, public in definers:
        path = re.search(r"search_path=([^,]*(?:, [^,=]*)*)", settings)
        assert path, f"{name} takes its caller's search_path"
        parts = [part.strip() for part in path.group(1).split(",")]
        assert parts[-1] == "pg_temp", f"{name}: pg_temp must be searched last, not first"
        assert "public" not in parts, name
        assert not public, f"{name} may be called by everybody"
    open_to_all = migrated.execute(
        f"select oid::regprocedure from pg_proc where pronamespace in {OURS_AND_JOBS}"
        " and exists (select 1 from aclexplode(coalesce(proacl, acldefault('f', proowner))) x where x.grantee = 0)").fetchall()
    assert open_to_all == []


def test_no_sign_in_of_the_clinic_stands_above_row_security(migrated: psycopg.Connection[Any]) -> None:
    above = {row[0] for row in migrated.execute("select rolname from pg_roles where rolname ~ '^clinicdesk'"
                                                " and (rolsuper or rolbypassrls)")}
    admin = {row[0] for row in migrated.execute("select rolname from pg_roles where oid = 10")}
    assert above - admin == {"clinicdesk_backup"}
    members = migrated.execute("select r.rolname, m.rolname from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m"
                               " on m.oid = a.member where m.rolname ~ '^clinicdesk' and m.oid <> 10").fetchall()
    # Only so that auth.cut_blockers(), which is the owner's, may end a workstation's connection; nobody works as the owner.
    assert members == [("clinicdesk_app", "clinicdesk_owner")]
    owners = {row[0] for row in migrated.execute("select distinct pg_get_userbyid(relowner) from pg_class where relnamespace in"
                                                 f" {SCHEMAS}")}
    assert owners == {"clinicdesk_owner"}
