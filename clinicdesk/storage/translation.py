"""Driver errors into sentences: by SQLSTATE and constraint name, never by message text. Used by `storage.database` alone."""

from __future__ import annotations

from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from clinicdesk.errors import (
    ChangedElsewhere,
    ClinicError,
    Collision,
    Duplicate,
    Invalid,
    NotAllowed,
    SignedOut,
    SlotTaken,
    Unavailable,
    VisitSigned,
)

#: Constraint → (kind, field, sentence). Kinds: duplicate, invalid, taken, refused.
SENTENCES: Final[dict[str, tuple[str, str, str]]] = {
    "uq_patients_phone": ("duplicate", "phone", "Another patient already has this phone number."),
    "pk_import_keys": ("duplicate", "", "This patient was imported by somebody else just now."),
    "ck_patients_first_name": ("invalid", "first_name", "First name: 1 to 60 characters."),
    "ck_patients_last_name": ("invalid", "last_name", "Last name: 1 to 60 characters."),
    "ck_patients_title": ("invalid", "title", "Title: at most 20 characters."),
    "ck_patients_phone": ("invalid", "phone", "Phone: 9 to 15 digits, with + in front if you like."),
    "ck_patients_born": ("invalid", "born", "Date of birth: from 1880 until today."),
    "ck_patients_died": ("invalid", "died", "The date of death lies before the date of birth."),
    "ck_patients_sex": ("invalid", "sex", "Sex: choose one of the list."),
    "ck_patients_email": ("invalid", "email", "E-mail: like name@example.org."),
    "ck_patients_address": ("invalid", "address", "Address: at most 300 characters."),
    "ck_patient_tags_tag": ("invalid", "tags", "A tag has 1 to 40 characters."),
    "ck_sealed_fields_body": ("invalid", "added_note", "This text is too long."),
    "ck_emergency_contacts_name": ("invalid", "emergency_name", "Name: 1 to 120 characters."),
    "ck_emergency_contacts_relation": ("invalid", "emergency_relation", "Relation: at most 60 characters."),
    "ck_emergency_contacts_phone": ("invalid", "emergency_phone", "Phone: 9 to 15 digits, with + in front if you like."),
    "uq_users_username": ("duplicate", "username", "This user name is already taken."),
    "ck_users_username": ("invalid", "username", "User name: 2 to 40 small letters, digits, dots, hyphens or underscores."),
    "ck_users_name": ("invalid", "name", "Name: 1 to 120 characters."),
    "uq_doctors_licence_number": ("duplicate", "licence_number", "Another doctor already has this licence number."),
    "ck_doctors_licence_number": ("invalid", "licence_number", "Licence number: 3 to 40 characters."),
    "ck_doctors_specialization": ("invalid", "specialization", "Specialization: 2 to 80 characters."),
    "ck_doctors_qualifications": ("invalid", "qualifications", "Qualifications: at most 300 characters."),
    "ck_doctors_experience_years": ("invalid", "experience_years", "Experience: 0 to 60 years."),
    "ck_doctors_fee": ("invalid", "fee", "Fee: 0 to 100,000."),
    "ck_doctors_phone": ("invalid", "phone", "Phone: 9 to 15 digits, with + in front if you like."),
    "ck_doctors_email": ("invalid", "email", "E-mail: like name@example.org."),
    "ck_doctors_address": ("invalid", "address", "Address: at most 300 characters."),
    "uq_assignments_open": ("duplicate", "doctor_id", "This doctor already looks after this patient."),
    "ck_assignments_dates": ("invalid", "ends_on", "The assignment cannot end before it starts."),
    "ck_assignments_note": ("invalid", "note", "Note: at most 300 characters."),
    "ex_appointments_overlap": ("taken", "starts_at", "The doctor already has an appointment then."),
    "ex_time_slots_overlap": ("taken", "starts_at", "There is already a slot at that time."),
    "ex_working_hours_overlap": ("invalid", "starts", "These hours overlap others of the same day."),
    "ck_appointments_overbook_reason": ("invalid", "overbook_reason", "Say why this is booked on top of another appointment."),
    "ck_appointments_cancel_reason": ("invalid", "cancel_reason", "Say why the appointment is cancelled."),
    "ck_appointments_times": ("invalid", "ends_at", "An appointment ends after it starts and lasts at most 12 hours."),
    "ck_appointments_reason": ("invalid", "reason", "Reason: at most 300 characters."),
    "ck_appointments_texts": ("invalid", "cancel_reason", "At most 300 characters."),
    "ck_working_hours_minutes": ("invalid", "starts", "Hours end after they start, within one day."),
    "ck_closures_times": ("invalid", "ends_at", "A closure ends after it starts."),
    "ck_closures_reason": ("invalid", "reason", "Say why: 1 to 120 characters."),
    "ck_time_slots_times": ("invalid", "ends_at", "A slot ends after it starts and lasts at most 12 hours."),
    "ck_vitals_blood_pressure": ("invalid", "systolic", "Systolic must be above diastolic, and both are needed."),
    "ck_records_title": ("invalid", "title", "Title: 1 to 200 characters."),
    "ck_allergies_substance": ("invalid", "substance", "Say which substance: 1 to 200 characters."),
    "ck_allergies_reaction": ("invalid", "reaction", "Reaction: at most 300 characters."),
    "ck_problems_description": ("invalid", "description", "Describe the problem: 1 to 300 characters."),
    "ck_prescription_items_medicine": ("invalid", "medicine", "Medicine: 2 to 200 characters."),
    "ck_prescription_items_times_per_day": ("invalid", "times_per_day", "Times a day: 1 to 24."),
    "ck_prescription_items_every_hours": ("invalid", "every_hours", "Every so many hours: 1 to 744."),
    "ck_prescription_items_duration_days": ("invalid", "duration_days", "Duration: 1 to 366 days."),
    "ck_prescription_items_dose_value": ("invalid", "dose_value", "A dose is more than zero."),
    "ck_prescription_items_quantity": ("invalid", "quantity", "A quantity is more than zero."),
    "ck_prescription_items_texts": ("invalid", "instructions", "Instructions: at most 300 characters; indication 200; rate 60."),
    "ck_prescription_items_directions": ("invalid", "directions", "Directions are missing."),
    "ck_prescription_items_as_needed": ("invalid", "max_per_day", "As needed: give the least interval and the most per day."),
    "uq_appointments_request_key": ("refused", "", "This appointment has just been booked already."),
    "uq_consultations_appointment_id": ("refused", "", "This consultation has already been started."),
    "uq_notes_consultation_id_kind": ("refused", "", "This visit is signed and cannot be changed."),
    "appointment_first_status": ("refused", "", "A new appointment starts as scheduled or confirmed."),
    "appointment_past": ("invalid", "starts_at", "This time has already passed."),
    "appointment_fixed": ("refused", "", "The patient of an appointment cannot be changed: cancel it and book a new one."),
    "appointment_move": ("refused", "", "Only an appointment that has not begun can be moved."),
    "appointment_step": ("refused", "", "This step is not possible now."),
    "appointment_not_hers": ("refused", "", "This patient is not in your care: reception can book an appointment with you."),
    "doctor_account": ("refused", "", "A doctor's profile belongs to one doctor's account and stays with it."),
    "appointment_doctor_only": ("refused", "", "Only the doctor of this appointment can do this."),
    "appointment_unsigned": ("refused", "", "The consultation must be completed first."),
    "consultation_appointment": ("refused", "", "The patient must be checked in and called in first."),
    "consultation_signed": ("refused", "", "This visit is signed and cannot be changed."),
    "addendum_unsigned": ("refused", "", "An addendum belongs to a signed visit. This one is still open."),
    "ck_addenda_body": ("invalid", "text", "An addendum has at most 10,000 characters."),
    "ck_diagnoses_description": ("invalid", "diagnoses", "A diagnosis has 1 to 300 characters."),
    "audit_append_only": ("refused", "", "The audit log cannot be changed."),
    "glass_needless": ("refused", "", "This record is open to you already, or there is no such record."),
    "glass_words": ("invalid", "words", "Say in a few words why you need this record."),
    "consultation_fixed": ("refused", "", "This cannot be changed in a consultation."),
    "visit_not_completed": ("refused", "", "Only the doctor of a completed appointment adds to the visit history."),
    # Attachments and immunizations
    "attachment_place": ("refused", "", "The record, visit or original of this document belongs to somebody else."),
    "attachment_delivered": ("refused", "", "This document was delivered already."),
    "attachment_withdrawn": ("refused", "", "This document was withdrawn already."),
    "ck_attachments_title": ("invalid", "title", "Title: 1 to 200 characters."),
    "ck_attachments_file_name": ("invalid", "title", "The name of this file is too long."),
    "ck_attachments_size": ("invalid", "file", "A file has 1 byte to 25 MB."),
    "ck_attachments_withdrawn": ("invalid", "reason", "Say why: 3 to 300 characters."),
    "ck_immunizations_vaccine": ("invalid", "vaccine", "Vaccine: 1 to 200 characters."),
    "ck_immunizations_cvx": ("invalid", "cvx", "A CVX code has at most 4 digits."),
    "ck_immunizations_dose_number": ("invalid", "dose_number", "Dose number: 1 to 20."),
    "ck_immunizations_texts": ("invalid", "lot", "Lot: at most 40 characters; site and route 60; given by 120."),
    "ck_immunizations_reason": ("invalid", "reason", "Say why the vaccine was not given."),
    "ck_immunizations_note": ("invalid", "note", "Note: at most 500 characters."),
    "ck_allergies_ended_reason": ("invalid", "reason", "Say why: at most 300 characters."),
    "ck_problems_ended_reason": ("invalid", "reason", "Say why: at most 300 characters."),
    # The waiting list and the waiting room
    "ck_waiting_list_minutes": ("invalid", "minutes", "Minutes: 5 to 480."),
    "ck_waiting_list_weekdays": ("invalid", "weekdays", "Choose at least one weekday."),
    "ck_waiting_list_hours": ("invalid", "to_minute", "The hours end after they begin, within one day."),
    "ck_waiting_list_days": ("invalid", "last_day", "The last day lies before the first."),
    "ck_waiting_list_notice_minutes": ("invalid", "notice_minutes", "Notice: at most 14 days."),
    "ck_waiting_list_note": ("invalid", "note", "Note: at most 200 characters."),
    "ck_offers_expires_at": ("invalid", "expires_at", "A place is held for at most 3 days."),
    "ex_offers_place": ("taken", "starts_at", "This place is already held for somebody of the waiting list."),
    "uq_offers_patient": ("refused", "", "Another place is already held for this patient. Settle that offer first."),
    "offer_wish": ("refused", "", "This wish is no longer waiting."),
    "offer_taken": ("taken", "starts_at", "This place has been booked in the meantime."),
    "offer_over": ("refused", "", "This offer is over: it was settled or its time ran out."),
    "offer_held": ("taken", "starts_at", "This place is held for somebody of the waiting list."),
    "call_arrived": ("refused", "", "Only a patient who is in the waiting room can be called."),
    # Money
    "ck_charges_what": ("invalid", "what", "What for: 2 to 200 characters."),
    "ck_charges_amount": ("invalid", "amount", "An amount from 0 to 1,000,000."),
    "ck_charges_reason": ("invalid", "reason", "Say why the amount differs from the usual one."),
    "ck_charges_void": ("invalid", "reason", "Say why this charge falls away."),
    "ck_charges_texts": ("invalid", "reason", "At most 300 characters."),
    "ck_receipts_reason": ("invalid", "reason", "Say why: 3 to 300 characters."),
    "ck_payments_amount": ("invalid", "amount", "An amount above 0 and up to 1,000,000."),
    "ck_wallet_entries_amount": ("invalid", "amount", "The amount cannot be zero."),
    "ck_wallet_entries_reason": ("invalid", "reason", "Say why: 3 to 300 characters."),
    "ck_day_closes_opening": ("invalid", "opening", "Cash at the start of the day: from 0 to 1,000,000."),
    "ck_day_closes_counted_cash": ("invalid", "counted_cash", "Counted cash: 0 or more."),
    "ck_day_closes_difference": ("invalid", "explanation", "The day does not match. Explain the difference in at least 10 characters."),
    "ck_day_closes_reopened": ("invalid", "reason", "Say why the day is reopened."),
    "ck_day_closes_texts": ("invalid", "explanation", "At most 500 characters."),
    "uq_day_closes_day": ("refused", "", "This day is closed already."),
    "day_closed": ("refused", "", "This day is closed: no money can be booked on it. An administrator can reopen it."),
    "day_not_over": ("refused", "", "A day that has not come yet cannot be closed."),
    "close_gone": ("refused", "", "This day is open again already."),
    "wallet_below_zero": ("invalid", "amount", "There is not enough money in the wallet."),
    "payment_nothing": ("invalid", "amount", "There is nothing to pay."),
    "payment_cents": ("invalid", "amount", "At most two digits after the point."),
    "payment_too_much": ("invalid", "amount", "This is more than is owed."),
    "refund_too_much": ("invalid", "amount", "This is more than can be given back of this payment."),
    "charge_gone": ("refused", "", "This charge is not open any more."),
    "charge_paid": ("refused", "", "Something was paid for this already: refund it first."),
    "charge_no_visit": ("refused", "", "Only a patient who has arrived is charged."),
    "request_key_used": ("refused", "", "This was booked already with another amount. Open it again and look."),
    "ck_session_log_title": ("invalid", "title", "Title: 1 to 200 characters."),
    "ck_session_log_minutes": ("invalid", "minutes", "A session lasts 1 to 600 minutes."),
    "money_kept": ("refused", "", "What was booked stays as it is."),
    # Papers
    "uq_voids_number": ("refused", "", "This paper is cancelled already."),
    "ck_voids_reason": ("invalid", "reason", "Say why: 3 to 500 characters."),
    "void_own": ("refused", "", "Only a doctor who looks after this patient can cancel this paper."),
    "paper_consultation": ("refused", "", "A paper belongs to a consultation of your own; a visit summary to a signed one."),
    "paper_unsigned": ("refused", "", "A paper that is not signed cannot be issued."),
    "signature_own": ("refused", "", "Only the doctor who issues a paper can sign it, with her own key."),
    "signing_key_own": ("refused", "", "Only a doctor has a signing key, and only her own."),
    "signing_key_kept": ("refused", "", "A signing key never changes; it can only be retired."),
    # The register
    "merge_already": ("refused", "", "One of these records is merged already. Open the patient again."),
    "uq_merges_lost": ("refused", "", "This record is merged already."),
    "merge_undone": ("refused", "", "These records were separated already."),
    "patient_merged": ("refused", "", "This record is merged into another one. Change the other one, or separate them first."),
    "ck_merges_reason": ("invalid", "reason", "Reason: at most 300 characters."),
    "ck_merges_two": ("refused", "", "Choose two different records."),
    # Keys and erasure
    "clinic_key_old": ("refused", "", "The clinic's key was changed. Enter the new one on this computer, then start ClinicDesk again."),
    "key_change_begun": ("refused", "", "Somebody began to change the clinic key already. Go on with that first."),
    "key_change_unfinished": ("refused", "", "Some keys are not rewrapped yet. Go on with the change of the clinic key."),
    "enrolments_many": ("refused", "", "Too many computers are asking for the clinic key. Try again in a quarter of an hour."),
    "enrolment_gone": ("refused", "", "This request is over. Start “clinicdesk key enrol” on the new computer again."),
    "patient_erased": ("refused", "", "This person was erased. Register her again as a new patient."),
    "erase_again": ("refused", "", "This patient was changed or erased in the meantime. Open the patient again."),
    "erase_in_progress": ("refused", "", "A consultation of this patient is in progress. It must be signed or discarded first."),
    "erase_wallet": ("refused", "", "The wallet of this patient still holds money. Pay it out first."),
    # Prescribing
    "uq_favourites_doctor_id_title": ("duplicate", "", "This line is among your favourites already."),
    "ck_favourites_title": ("invalid", "title", "A favourite has a title of 2 to 400 characters."),
    "uq_medicine_stops_medicine_id": ("refused", "", "This medicine is stopped already."),
    "ck_medicine_stops_words": ("invalid", "words", "At most 1,000 characters."),
    "ck_patient_facts_egfr": ("invalid", "egfr", "Kidney function: eGFR of 1 to 200 mL/min/1.73 m², with the day it was measured."),
    "ck_alert_overrides_words": ("invalid", "words", "Say in at least one word why."),
    "ck_photos_body": ("invalid", "photo", "This picture is too large."),
}

_SIGNED: Final = frozenset({"uq_notes_consultation_id_kind", "consultation_signed"})
_CHARACTER: Final = "A text holds a character that cannot be stored."
_CONNECTION_STATES = ("08", "57P", "53")


def translated(error: Exception) -> ClinicError | None:
    """The ClinicError for an error of SQLAlchemy or psycopg, or None when it is a bug of ours."""
    if isinstance(error, ClinicError):
        return error
    if isinstance(error, StaleDataError):
        return ChangedElsewhere()
    if isinstance(error, PoolTimeout):
        return _unavailable()
    if isinstance(error, UnicodeEncodeError):
        return Invalid("", _CHARACTER)
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, psycopg.Error):
        return None
    state = original.sqlstate or ""
    if state == "":
        if isinstance(original, psycopg.DataError):
            return Invalid("", _CHARACTER)  # psycopg refuses NUL before anything is sent
        lost = isinstance(error, OperationalError | InterfaceError | psycopg.OperationalError | psycopg.InterfaceError)
        return _unavailable() if lost else None
    if state == "53100":
        return Unavailable("database", "The disk of the database is full.",
                           "Your work is kept. Make room on that disk; trying again by itself.")
    if state.startswith(_CONNECTION_STATES) or state == "25006":
        return _unavailable()
    return _by_state(state, original.diag.constraint_name or "")


def _unavailable() -> Unavailable:
    return Unavailable("database", "The database cannot be reached.")


def _by_state(state: str, constraint: str) -> ClinicError | None:
    if state in {"42501", "CD001"}:
        return NotAllowed()
    if state == "CD002":
        return SignedOut()
    if state in {"40001", "40P01"}:
        return Collision()
    if state == "CD003":
        return ChangedElsewhere()
    if state == "57014":
        return Unavailable("database", "The database took too long to answer.")
    if constraint in SENTENCES:
        return _by_name(constraint)
    if state == "23505" and constraint.startswith("pk_"):
        return ChangedElsewhere()  # somebody else wrote the same thing first: a draft, a tag, a setting
    if state == "23514" and constraint.startswith("ck_vitals_"):
        return Invalid(constraint.removeprefix("ck_vitals_"), "This value is outside what is possible.")
    if state == "22001":
        return Invalid("", "A text is too long.")
    return NotAllowed() if state == "23503" else None


def _by_name(constraint: str) -> ClinicError:
    kind, field, sentence = SENTENCES[constraint]
    if kind == "duplicate":
        return Duplicate(field, sentence)
    if kind == "taken":
        return SlotTaken(sentence)
    if constraint in _SIGNED:
        return VisitSigned()
    return Invalid(field, sentence) if kind == "invalid" else ClinicError(sentence)
