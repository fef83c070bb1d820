-- The tables of the clinic as of the first release. Written once from clinicdesk/models, then frozen; the models must equal the
-- migrated database (tests/storage/test_schema.py). Every constraint has a name: storage/database.py turns names into sentences.

create schema auth;
create schema clinic;

CREATE TABLE auth.attempts (
    subject TEXT NOT NULL,
    failed INTEGER DEFAULT 0 NOT NULL,
    last_failed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_attempts PRIMARY KEY (subject)
);

CREATE TABLE auth.secrets (
    one BOOLEAN DEFAULT true NOT NULL,
    value BYTEA NOT NULL,
    CONSTRAINT pk_secrets PRIMARY KEY (one),
    CONSTRAINT ck_secrets_one_row CHECK (one)
);

CREATE TABLE auth.users (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    username TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    patient_id TEXT,
    active BOOLEAN DEFAULT true NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by BIGINT,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_username UNIQUE (username),
    CONSTRAINT uq_users_patient_id UNIQUE (patient_id),
    CONSTRAINT ck_users_username CHECK (username ~ '^[a-z0-9][a-z0-9._-]{1,39}$'),
    CONSTRAINT ck_users_name CHECK (char_length(name) between 1 and 120),
    CONSTRAINT ck_users_role CHECK (role in ('receptionist', 'doctor', 'administrator', 'patient')),
    CONSTRAINT ck_users_patient CHECK ((role = 'patient') = (patient_id is not null)),
    CONSTRAINT fk_users_created_by FOREIGN KEY(created_by) REFERENCES auth.users (id)
);

CREATE TABLE clinic.settings (
    key TEXT NOT NULL,
    value JSONB NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_settings PRIMARY KEY (key),
    CONSTRAINT ck_settings_key CHECK (key ~ '^[a-z_]{2,40}$')
);

CREATE TABLE auth.credentials (
    user_id BIGINT NOT NULL,
    salt BYTEA NOT NULL,
    memory_kib INTEGER NOT NULL,
    iterations INTEGER NOT NULL,
    lanes INTEGER NOT NULL,
    verifier BYTEA NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_credentials PRIMARY KEY (user_id),
    CONSTRAINT ck_credentials_salt CHECK (octet_length(salt) = 16),
    CONSTRAINT ck_credentials_verifier CHECK (octet_length(verifier) = 32),
    CONSTRAINT ck_credentials_strength CHECK (memory_kib >= 19456 or (memory_kib >= 7168 and iterations >= 5)),
    CONSTRAINT fk_credentials_user_id FOREIGN KEY(user_id) REFERENCES auth.users (id)
);

CREATE TABLE auth.sessions (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id BIGINT NOT NULL,
    token_hash BYTEA NOT NULL,
    workstation TEXT NOT NULL,
    idle_minutes SMALLINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    absolute_expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by BIGINT,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT uq_sessions_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_sessions_workstation CHECK (char_length(workstation) between 1 and 120),
    CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES auth.users (id),
    CONSTRAINT fk_sessions_ended_by FOREIGN KEY(ended_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_sessions_user_id ON auth.sessions (user_id);

CREATE TABLE clinic.doctors (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id BIGINT NOT NULL,
    licence_number TEXT NOT NULL,
    specialization TEXT NOT NULL,
    qualifications TEXT DEFAULT '' NOT NULL,
    experience_years SMALLINT DEFAULT 0 NOT NULL,
    fee NUMERIC(10, 2) DEFAULT 0 NOT NULL,
    phone TEXT DEFAULT '' NOT NULL,
    email TEXT DEFAULT '' NOT NULL,
    address TEXT DEFAULT '' NOT NULL,
    available BOOLEAN DEFAULT true NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_doctors PRIMARY KEY (id),
    CONSTRAINT uq_doctors_user_id UNIQUE (user_id),
    CONSTRAINT uq_doctors_licence_number UNIQUE (licence_number),
    CONSTRAINT ck_doctors_licence_number CHECK (char_length(licence_number) between 3 and 40),
    CONSTRAINT ck_doctors_specialization CHECK (char_length(specialization) between 2 and 80),
    CONSTRAINT ck_doctors_qualifications CHECK (char_length(qualifications) <= 300),
    CONSTRAINT ck_doctors_experience_years CHECK (experience_years between 0 and 60),
    CONSTRAINT ck_doctors_fee CHECK (fee between 0 and 100000),
    CONSTRAINT ck_doctors_phone CHECK (phone = '' or phone ~ '^[+]?[0-9]{9,15}$'),
    CONSTRAINT ck_doctors_email CHECK (email = '' or email ~ '^[^@[:space:]]{1,64}@[^@[:space:]]{1,190}$'),
    CONSTRAINT ck_doctors_address CHECK (char_length(address) <= 300),
    CONSTRAINT fk_doctors_user_id FOREIGN KEY(user_id) REFERENCES auth.users (id)
);

CREATE TABLE clinic.patients (
    id TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    title TEXT DEFAULT '' NOT NULL,
    born DATE NOT NULL,
    died DATE,
    sex TEXT NOT NULL,
    phone TEXT,
    email TEXT DEFAULT '' NOT NULL,
    address TEXT DEFAULT '' NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    created_by BIGINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_patients PRIMARY KEY (id),
    CONSTRAINT uq_patients_phone UNIQUE (phone),
    CONSTRAINT ck_patients_id CHECK (id ~ '^p_[a-z0-9]{6}$'),
    CONSTRAINT ck_patients_first_name CHECK (char_length(first_name) between 1 and 60 and first_name = btrim(first_name)),
    CONSTRAINT ck_patients_last_name CHECK (char_length(last_name) between 1 and 60 and last_name = btrim(last_name)),
    CONSTRAINT ck_patients_title CHECK (char_length(title) <= 20),
    CONSTRAINT ck_patients_phone CHECK (phone ~ '^[+]?[0-9]{9,15}$'),
    CONSTRAINT ck_patients_born CHECK (born between date '1880-01-01' and current_date + 1),
    CONSTRAINT ck_patients_died CHECK (died is null or died >= born),
    CONSTRAINT ck_patients_sex CHECK (sex in ('M', 'F', 'O', 'P')),
    CONSTRAINT ck_patients_email CHECK (email = '' or email ~ '^[^@[:space:]]{1,64}@[^@[:space:]]{1,190}$'),
    CONSTRAINT ck_patients_address CHECK (char_length(address) <= 300),
    CONSTRAINT fk_patients_created_by FOREIGN KEY(created_by) REFERENCES auth.users (id)
);

CREATE TABLE clinic.allergies (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id TEXT NOT NULL,
    substance TEXT NOT NULL,
    system TEXT DEFAULT '' NOT NULL,
    code TEXT DEFAULT '' NOT NULL,
    category TEXT DEFAULT 'allergy' NOT NULL,
    reaction TEXT DEFAULT '' NOT NULL,
    severity TEXT DEFAULT '' NOT NULL,
    noted_on DATE,
    ended_on DATE,
    recorded_by BIGINT,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    source_key TEXT,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_allergies PRIMARY KEY (id),
    CONSTRAINT uq_allergies_patient_id_source_key UNIQUE (patient_id, source_key),
    CONSTRAINT ck_allergies_substance CHECK (char_length(substance) between 1 and 200),
    CONSTRAINT ck_allergies_category CHECK (category in ('allergy', 'intolerance')),
    CONSTRAINT ck_allergies_severity CHECK (severity in ('', 'mild', 'moderate', 'severe')),
    CONSTRAINT ck_allergies_reaction CHECK (char_length(reaction) <= 300),
    CONSTRAINT fk_allergies_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_allergies_recorded_by FOREIGN KEY(recorded_by) REFERENCES auth.users (id)
);

CREATE TABLE clinic.allergy_statements (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id TEXT NOT NULL,
    stated_by BIGINT NOT NULL,
    stated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_allergy_statements PRIMARY KEY (id),
    CONSTRAINT fk_allergy_statements_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_allergy_statements_stated_by FOREIGN KEY(stated_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_allergy_statements_patient_id ON clinic.allergy_statements (patient_id);

CREATE TABLE clinic.appointments (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    doctor_id BIGINT NOT NULL,
    patient_id TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    during TSTZRANGE GENERATED ALWAYS AS (tstzrange(starts_at, ends_at, '[)')) STORED NOT NULL,
    status TEXT DEFAULT 'scheduled' NOT NULL,
    lane INTEGER DEFAULT 0 NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    overbook_reason TEXT DEFAULT '' NOT NULL,
    cancel_reason TEXT DEFAULT '' NOT NULL,
    request_key TEXT,
    booked_by BIGINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    status_since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_appointments PRIMARY KEY (id),
    CONSTRAINT uq_appointments_request_key UNIQUE (request_key),
    CONSTRAINT ck_appointments_status CHECK (status in ('scheduled', 'confirmed', 'arrived', 'in_progress', 'completed', 'cancelled', 'no_show')),
    CONSTRAINT ck_appointments_times CHECK (starts_at < ends_at and ends_at <= starts_at + interval '12 hours'),
    CONSTRAINT ck_appointments_lane CHECK (lane between 0 and 9),
    CONSTRAINT ck_appointments_overbook_reason CHECK ((lane > 0) = (char_length(btrim(overbook_reason)) >= 3)),
    CONSTRAINT ck_appointments_cancel_reason CHECK (status <> 'cancelled' or char_length(btrim(cancel_reason)) >= 3),
    CONSTRAINT ck_appointments_reason CHECK (char_length(reason) <= 300),
    CONSTRAINT ck_appointments_texts CHECK (char_length(overbook_reason) <= 300 and char_length(cancel_reason) <= 300),
    CONSTRAINT ex_appointments_overlap EXCLUDE USING gist (int8range(doctor_id, doctor_id, '[]') WITH &&, int4range(lane, lane, '[]') WITH &&, during WITH &&) WHERE (status not in ('cancelled', 'no_show')),
    CONSTRAINT fk_appointments_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id),
    CONSTRAINT fk_appointments_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_appointments_booked_by FOREIGN KEY(booked_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_appointments_doctor_id_starts_at ON clinic.appointments (doctor_id, starts_at);
CREATE INDEX ix_appointments_patient_id_starts_at ON clinic.appointments (patient_id, starts_at);
CREATE INDEX ix_appointments_starts_at ON clinic.appointments (starts_at);

CREATE TABLE clinic.assignments (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    doctor_id BIGINT NOT NULL,
    patient_id TEXT NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    starts_on DATE DEFAULT CURRENT_DATE NOT NULL,
    ends_on DATE,
    assigned_by BIGINT,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_assignments PRIMARY KEY (id),
    CONSTRAINT ck_assignments_dates CHECK (ends_on is null or ends_on >= starts_on),
    CONSTRAINT ck_assignments_note CHECK (char_length(note) <= 300),
    CONSTRAINT fk_assignments_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id),
    CONSTRAINT fk_assignments_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_assignments_assigned_by FOREIGN KEY(assigned_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_assignments_patient_id ON clinic.assignments (patient_id);
CREATE UNIQUE INDEX uq_assignments_open ON clinic.assignments (doctor_id, patient_id) WHERE ends_on is null;

CREATE TABLE clinic.care (
    doctor_id BIGINT NOT NULL,
    patient_id TEXT NOT NULL,
    until DATE,
    CONSTRAINT pk_care PRIMARY KEY (doctor_id, patient_id),
    CONSTRAINT fk_care_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id),
    CONSTRAINT fk_care_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id)
);
CREATE INDEX ix_care_patient_id ON clinic.care (patient_id);

CREATE TABLE clinic.closures (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    doctor_id BIGINT,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_closures PRIMARY KEY (id),
    CONSTRAINT ck_closures_times CHECK (starts_at < ends_at),
    CONSTRAINT ck_closures_reason CHECK (char_length(reason) between 1 and 120),
    CONSTRAINT fk_closures_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id)
);
CREATE INDEX ix_closures_starts_at ON clinic.closures (starts_at);

CREATE TABLE clinic.emergency_contacts (
    patient_id TEXT NOT NULL,
    name TEXT NOT NULL,
    relation TEXT DEFAULT '' NOT NULL,
    phone TEXT NOT NULL,
    CONSTRAINT pk_emergency_contacts PRIMARY KEY (patient_id),
    CONSTRAINT ck_emergency_contacts_name CHECK (char_length(name) between 1 and 120),
    CONSTRAINT ck_emergency_contacts_relation CHECK (char_length(relation) <= 60),
    CONSTRAINT ck_emergency_contacts_phone CHECK (phone ~ '^[+]?[0-9]{9,15}$'),
    CONSTRAINT fk_emergency_contacts_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id)
);

CREATE TABLE clinic.import_keys (
    system TEXT NOT NULL,
    external_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    imported_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_import_keys PRIMARY KEY (system, external_id),
    CONSTRAINT fk_import_keys_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id)
);
CREATE INDEX ix_import_keys_patient_id ON clinic.import_keys (patient_id);

CREATE TABLE clinic.patient_keys (
    patient_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_patient_keys PRIMARY KEY (patient_id, purpose),
    CONSTRAINT ck_patient_keys_purpose CHECK (purpose in ('identity', 'clinical')),
    CONSTRAINT ck_patient_keys_wrapped CHECK (octet_length(wrapped) = 61),
    CONSTRAINT fk_patient_keys_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id)
);

CREATE TABLE clinic.patient_tags (
    patient_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    CONSTRAINT pk_patient_tags PRIMARY KEY (patient_id, tag),
    CONSTRAINT ck_patient_tags_tag CHECK (char_length(tag) between 1 and 40 and tag = btrim(tag)),
    CONSTRAINT fk_patient_tags_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id)
);

CREATE TABLE clinic.patient_terms (
    term TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    CONSTRAINT pk_patient_terms PRIMARY KEY (term, kind, patient_id),
    CONSTRAINT ck_patient_terms_kind CHECK (kind in ('name', 'sound', 'phone', 'born', 'email', 'id', 'tag')),
    CONSTRAINT ck_patient_terms_term CHECK (char_length(term) between 1 and 190),
    CONSTRAINT fk_patient_terms_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id)
);
CREATE INDEX ix_patient_terms_patient_id ON clinic.patient_terms (patient_id, term);

CREATE TABLE clinic.problems (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id TEXT NOT NULL,
    system TEXT DEFAULT '' NOT NULL,
    code TEXT DEFAULT '' NOT NULL,
    description TEXT NOT NULL,
    started_on DATE,
    ended_on DATE,
    recorded_by BIGINT,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    source_key TEXT,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_problems PRIMARY KEY (id),
    CONSTRAINT uq_problems_patient_id_source_key UNIQUE (patient_id, source_key),
    CONSTRAINT ck_problems_description CHECK (char_length(description) between 1 and 300),
    CONSTRAINT ck_problems_dates CHECK (ended_on is null or started_on is null or ended_on >= started_on),
    CONSTRAINT fk_problems_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_problems_recorded_by FOREIGN KEY(recorded_by) REFERENCES auth.users (id)
);

CREATE TABLE clinic.sealed_fields (
    patient_id TEXT NOT NULL,
    field TEXT NOT NULL,
    body BYTEA NOT NULL,
    written_by BIGINT,
    written_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_sealed_fields PRIMARY KEY (patient_id, field),
    CONSTRAINT ck_sealed_fields_field CHECK (field in ('ssn', 'added_note', 'about_note', 'medical_history', 'allergies', 'medication')),
    CONSTRAINT ck_sealed_fields_body CHECK (octet_length(body) <= 29 + 4 * case field when 'ssn' then 11 when 'added_note' then 500 when 'about_note' then 250 else 5000 end),
    CONSTRAINT fk_sealed_fields_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_sealed_fields_written_by FOREIGN KEY(written_by) REFERENCES auth.users (id)
);

CREATE TABLE clinic.time_slots (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    doctor_id BIGINT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    during TSTZRANGE GENERATED ALWAYS AS (tstzrange(starts_at, ends_at, '[)')) STORED NOT NULL,
    made_by BIGINT,
    CONSTRAINT pk_time_slots PRIMARY KEY (id),
    CONSTRAINT ck_time_slots_times CHECK (starts_at < ends_at and ends_at <= starts_at + interval '12 hours'),
    CONSTRAINT ex_time_slots_overlap EXCLUDE USING gist (int8range(doctor_id, doctor_id, '[]') WITH &&, during WITH &&),
    CONSTRAINT fk_time_slots_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id),
    CONSTRAINT fk_time_slots_made_by FOREIGN KEY(made_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_time_slots_doctor_id_starts_at ON clinic.time_slots (doctor_id, starts_at);

CREATE TABLE clinic.working_hours (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    doctor_id BIGINT NOT NULL,
    weekday INTEGER NOT NULL,
    starts_minute INTEGER NOT NULL,
    ends_minute INTEGER NOT NULL,
    CONSTRAINT pk_working_hours PRIMARY KEY (id),
    CONSTRAINT ck_working_hours_weekday CHECK (weekday between 0 and 6),
    CONSTRAINT ck_working_hours_minutes CHECK (starts_minute >= 0 and ends_minute <= 1440 and starts_minute < ends_minute),
    CONSTRAINT ex_working_hours_overlap EXCLUDE USING gist (int8range(doctor_id, doctor_id, '[]') WITH &&, int4range(weekday, weekday, '[]') WITH &&, int4range(starts_minute, ends_minute) WITH &&),
    CONSTRAINT fk_working_hours_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id)
);

CREATE TABLE clinic.appointment_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    appointment_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    user_id BIGINT,
    what TEXT NOT NULL,
    status TEXT NOT NULL,
    doctor_id INTEGER NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lane SMALLINT NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_appointment_events PRIMARY KEY (id),
    CONSTRAINT fk_appointment_events_appointment_id FOREIGN KEY(appointment_id) REFERENCES clinic.appointments (id),
    CONSTRAINT fk_appointment_events_user_id FOREIGN KEY(user_id) REFERENCES auth.users (id)
);
CREATE INDEX ix_appointment_events_appointment_id ON clinic.appointment_events (appointment_id);

CREATE TABLE clinic.consultations (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    appointment_id BIGINT NOT NULL,
    patient_id TEXT NOT NULL,
    doctor_id BIGINT NOT NULL,
    status TEXT DEFAULT 'in_progress' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    signed_by BIGINT,
    content_sha256 BYTEA,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_consultations PRIMARY KEY (id),
    CONSTRAINT uq_consultations_appointment_id UNIQUE (appointment_id),
    CONSTRAINT ck_consultations_status CHECK (status in ('in_progress', 'completed')),
    CONSTRAINT ck_consultations_signature CHECK ((status = 'completed') = (completed_at is not null and signed_by is not null and content_sha256 is not null)),
    CONSTRAINT ck_consultations_content_sha256 CHECK (content_sha256 is null or octet_length(content_sha256) = 32),
    CONSTRAINT fk_consultations_appointment_id FOREIGN KEY(appointment_id) REFERENCES clinic.appointments (id),
    CONSTRAINT fk_consultations_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_consultations_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id),
    CONSTRAINT fk_consultations_signed_by FOREIGN KEY(signed_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_consultations_patient_id ON clinic.consultations (patient_id);

CREATE TABLE clinic.records (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id TEXT NOT NULL,
    appointment_id BIGINT,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    description BYTEA,
    happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by BIGINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    source_key TEXT,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_records PRIMARY KEY (id),
    CONSTRAINT uq_records_patient_id_source_key UNIQUE (patient_id, source_key),
    CONSTRAINT uq_records_appointment_id UNIQUE (appointment_id),
    CONSTRAINT ck_records_kind CHECK (kind in ('visit', 'encounter', 'diagnosis', 'result', 'procedure', 'letter', 'general')),
    CONSTRAINT ck_records_title CHECK (char_length(title) between 1 and 200),
    CONSTRAINT ck_records_description CHECK (octet_length(description) <= 40029),
    CONSTRAINT fk_records_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_records_appointment_id FOREIGN KEY(appointment_id) REFERENCES clinic.appointments (id),
    CONSTRAINT fk_records_created_by FOREIGN KEY(created_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_records_patient_id_happened_at ON clinic.records (patient_id, happened_at);

CREATE TABLE clinic.annotations (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    record_id BIGINT NOT NULL,
    patient_id TEXT NOT NULL,
    doctor_id BIGINT NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_annotations PRIMARY KEY (id),
    CONSTRAINT ck_annotations_body CHECK (octet_length(body) <= 8029),
    CONSTRAINT fk_annotations_record_id FOREIGN KEY(record_id) REFERENCES clinic.records (id),
    CONSTRAINT fk_annotations_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_annotations_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id)
);
CREATE INDEX ix_annotations_record_id ON clinic.annotations (record_id);

CREATE TABLE clinic.drafts (
    consultation_id BIGINT NOT NULL,
    author_id BIGINT NOT NULL,
    body BYTEA NOT NULL,
    saved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_drafts PRIMARY KEY (consultation_id),
    CONSTRAINT ck_drafts_body CHECK (octet_length(body) <= 1000000),
    CONSTRAINT fk_drafts_consultation_id FOREIGN KEY(consultation_id) REFERENCES clinic.consultations (id),
    CONSTRAINT fk_drafts_author_id FOREIGN KEY(author_id) REFERENCES auth.users (id)
);

CREATE TABLE clinic.notes (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    consultation_id BIGINT NOT NULL,
    patient_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BYTEA NOT NULL,
    author_id BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_notes PRIMARY KEY (id),
    CONSTRAINT uq_notes_consultation_id_kind UNIQUE (consultation_id, kind),
    CONSTRAINT ck_notes_kind CHECK (kind in ('subjective', 'objective', 'assessment', 'plan', 'follow_up', 'general')),
    CONSTRAINT ck_notes_body CHECK (octet_length(body) <= 200029),
    CONSTRAINT fk_notes_consultation_id FOREIGN KEY(consultation_id) REFERENCES clinic.consultations (id),
    CONSTRAINT fk_notes_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_notes_author_id FOREIGN KEY(author_id) REFERENCES auth.users (id)
);
CREATE INDEX ix_notes_patient_id ON clinic.notes (patient_id);

CREATE TABLE clinic.prescriptions (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    number TEXT NOT NULL,
    consultation_id BIGINT NOT NULL,
    patient_id TEXT NOT NULL,
    doctor_id BIGINT NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    page TEXT NOT NULL,
    pdf BYTEA NOT NULL,
    pdf_sha256 BYTEA NOT NULL,
    printed INTEGER DEFAULT 0 NOT NULL,
    last_printed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_prescriptions PRIMARY KEY (id),
    CONSTRAINT uq_prescriptions_number UNIQUE (number),
    CONSTRAINT ck_prescriptions_number CHECK (number ~ '^RX-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$'),
    CONSTRAINT ck_prescriptions_pdf_sha256 CHECK (octet_length(pdf_sha256) = 32),
    CONSTRAINT ck_prescriptions_page CHECK (page in ('A4', 'A5', 'Letter')),
    CONSTRAINT ck_prescriptions_printed CHECK (printed >= 0),
    CONSTRAINT fk_prescriptions_consultation_id FOREIGN KEY(consultation_id) REFERENCES clinic.consultations (id),
    CONSTRAINT fk_prescriptions_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_prescriptions_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id)
);
CREATE INDEX ix_prescriptions_consultation_id ON clinic.prescriptions (consultation_id);
CREATE INDEX ix_prescriptions_patient_id_issued_at ON clinic.prescriptions (patient_id, issued_at);

CREATE TABLE clinic.visits (
    id UUID NOT NULL,
    revision INTEGER NOT NULL,
    patient_id TEXT NOT NULL,
    appointment_id BIGINT NOT NULL,
    consultation_id BIGINT NOT NULL,
    doctor_id BIGINT NOT NULL,
    visit_date TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_visits PRIMARY KEY (id, revision),
    CONSTRAINT uq_visits_appointment_id_revision UNIQUE (appointment_id, revision),
    CONSTRAINT fk_visits_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_visits_appointment_id FOREIGN KEY(appointment_id) REFERENCES clinic.appointments (id),
    CONSTRAINT fk_visits_consultation_id FOREIGN KEY(consultation_id) REFERENCES clinic.consultations (id),
    CONSTRAINT fk_visits_doctor_id FOREIGN KEY(doctor_id) REFERENCES clinic.doctors (id)
);
CREATE INDEX ix_visits_patient_id_visit_date ON clinic.visits (patient_id, visit_date desc);

CREATE TABLE clinic.vitals (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id TEXT NOT NULL,
    consultation_id BIGINT,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_by BIGINT,
    systolic INTEGER,
    diastolic INTEGER,
    pulse INTEGER,
    temperature NUMERIC(3, 1),
    respiration INTEGER,
    spo2 INTEGER,
    oxygen BOOLEAN,
    oxygen_flow NUMERIC(4, 1),
    spo2_scale SMALLINT DEFAULT 1 NOT NULL,
    consciousness TEXT,
    height NUMERIC(4, 1),
    weight NUMERIC(6, 3),
    pain INTEGER,
    glucose NUMERIC(4, 1),
    confirmed TEXT DEFAULT '' NOT NULL,
    source_key TEXT,
    CONSTRAINT pk_vitals PRIMARY KEY (id),
    CONSTRAINT uq_vitals_patient_id_source_key UNIQUE (patient_id, source_key),
    CONSTRAINT ck_vitals_systolic CHECK (systolic between 30 and 350),
    CONSTRAINT ck_vitals_diastolic CHECK (diastolic between 10 and 250),
    CONSTRAINT ck_vitals_blood_pressure CHECK ((systolic is null) = (diastolic is null) and (systolic is null or systolic > diastolic)),
    CONSTRAINT ck_vitals_pulse CHECK (pulse between 10 and 300),
    CONSTRAINT ck_vitals_temperature CHECK (temperature between 25.0 and 45.0),
    CONSTRAINT ck_vitals_respiration CHECK (respiration between 2 and 70),
    CONSTRAINT ck_vitals_spo2 CHECK (spo2 between 20 and 100),
    CONSTRAINT ck_vitals_oxygen_flow CHECK (oxygen_flow between 0.1 and 60),
    CONSTRAINT ck_vitals_spo2_scale CHECK (spo2_scale in (1, 2)),
    CONSTRAINT ck_vitals_consciousness CHECK (consciousness in ('alert', 'confusion', 'voice', 'pain', 'unresponsive')),
    CONSTRAINT ck_vitals_height CHECK (height between 20 and 300),
    CONSTRAINT ck_vitals_weight CHECK (weight between 0.15 and 500),
    CONSTRAINT ck_vitals_pain CHECK (pain between 0 and 10),
    CONSTRAINT ck_vitals_glucose CHECK (glucose between 0.3 and 80),
    CONSTRAINT fk_vitals_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_vitals_consultation_id FOREIGN KEY(consultation_id) REFERENCES clinic.consultations (id),
    CONSTRAINT fk_vitals_recorded_by FOREIGN KEY(recorded_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_vitals_patient_id_taken_at ON clinic.vitals (patient_id, taken_at);

CREATE TABLE clinic.prescription_items (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    prescription_id BIGINT NOT NULL,
    patient_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    medicine TEXT NOT NULL,
    brand TEXT DEFAULT '' NOT NULL,
    strength TEXT DEFAULT '' NOT NULL,
    form TEXT DEFAULT '' NOT NULL,
    route TEXT DEFAULT '' NOT NULL,
    dose_value NUMERIC(10, 3),
    dose_unit TEXT DEFAULT '' NOT NULL,
    times_per_day INTEGER,
    every_hours INTEGER,
    weekdays TEXT DEFAULT '' NOT NULL,
    once BOOLEAN DEFAULT false NOT NULL,
    as_needed BOOLEAN DEFAULT false NOT NULL,
    as_needed_for TEXT DEFAULT '' NOT NULL,
    min_interval_hours INTEGER,
    max_per_day NUMERIC(10, 3),
    duration_days INTEGER,
    rate TEXT DEFAULT '' NOT NULL,
    directions TEXT NOT NULL,
    quantity NUMERIC(10, 3),
    quantity_unit TEXT DEFAULT '' NOT NULL,
    instructions TEXT DEFAULT '' NOT NULL,
    indication TEXT DEFAULT '' NOT NULL,
    free_text BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_prescription_items PRIMARY KEY (id),
    CONSTRAINT uq_prescription_items_prescription_id_position UNIQUE (prescription_id, position),
    CONSTRAINT ck_prescription_items_position CHECK (position between 1 and 50),
    CONSTRAINT ck_prescription_items_medicine CHECK (char_length(medicine) between 2 and 200),
    CONSTRAINT ck_prescription_items_times_per_day CHECK (times_per_day between 1 and 24),
    CONSTRAINT ck_prescription_items_every_hours CHECK (every_hours between 1 and 744),
    CONSTRAINT ck_prescription_items_duration_days CHECK (duration_days between 1 and 366),
    CONSTRAINT ck_prescription_items_dose_value CHECK (dose_value > 0),
    CONSTRAINT ck_prescription_items_as_needed CHECK (not as_needed or (min_interval_hours is not null and max_per_day is not null)),
    CONSTRAINT ck_prescription_items_directions CHECK (char_length(directions) between 5 and 500),
    CONSTRAINT ck_prescription_items_texts CHECK (char_length(instructions) <= 300 and char_length(indication) <= 200 and char_length(rate) <= 60),
    CONSTRAINT ck_prescription_items_quantity CHECK (quantity > 0),
    CONSTRAINT fk_prescription_items_prescription_id FOREIGN KEY(prescription_id) REFERENCES clinic.prescriptions (id),
    CONSTRAINT fk_prescription_items_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id)
);
CREATE INDEX ix_prescription_items_patient_id ON clinic.prescription_items (patient_id);

CREATE TABLE clinic.visit_outbox (
    visit_id UUID NOT NULL,
    revision INTEGER NOT NULL,
    notes BYTEA NOT NULL,
    prescription BYTEA NOT NULL,
    visit BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    attempts INTEGER DEFAULT 0 NOT NULL,
    last_problem TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_visit_outbox PRIMARY KEY (visit_id, revision),
    CONSTRAINT fk_visit_outbox_visit_id_revision FOREIGN KEY(visit_id, revision) REFERENCES clinic.visits (id, revision),
    CONSTRAINT ck_visit_outbox_visit CHECK (octet_length(visit) <= 4000000)
);
CREATE INDEX ix_visit_outbox_undelivered ON clinic.visit_outbox (created_at) WHERE delivered_at is null;

CREATE TABLE clinic.medicines (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id TEXT NOT NULL,
    system TEXT DEFAULT '' NOT NULL,
    code TEXT DEFAULT '' NOT NULL,
    description TEXT NOT NULL,
    dosage TEXT DEFAULT '' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    started_on DATE,
    ended_on DATE,
    prescription_item_id BIGINT,
    recorded_by BIGINT,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    source_key TEXT,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_medicines PRIMARY KEY (id),
    CONSTRAINT uq_medicines_patient_id_source_key UNIQUE (patient_id, source_key),
    CONSTRAINT ck_medicines_description CHECK (char_length(description) between 1 and 300),
    CONSTRAINT ck_medicines_dates CHECK (ended_on is null or started_on is null or ended_on >= started_on),
    CONSTRAINT ck_medicines_texts CHECK (char_length(dosage) <= 500 and char_length(reason) <= 300),
    CONSTRAINT fk_medicines_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_medicines_prescription_item_id FOREIGN KEY(prescription_item_id) REFERENCES clinic.prescription_items (id),
    CONSTRAINT fk_medicines_recorded_by FOREIGN KEY(recorded_by) REFERENCES auth.users (id)
);

ALTER TABLE auth.users ADD CONSTRAINT fk_users_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id);
