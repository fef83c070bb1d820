-- Row security: forced on every table, for the owner too. The readable matrix of what this amounts to is tests/security/matrix.py, run as
-- raw SQL. `clinicdesk_app` is every workstation; who sits there is auth.me(). Policies call auth functions as (select …) so that the
-- planner runs them once a statement, not once a row.

revoke all on schema public from public;
grant usage on schema public to clinicdesk_app, clinicdesk_worker, clinicdesk_backup;
grant select on public.alembic_version to clinicdesk_app, clinicdesk_worker, clinicdesk_backup;
revoke all on all functions in schema auth, clinic, jobs from public;
alter default privileges revoke execute on functions from public;
grant usage on schema auth, clinic to clinicdesk_app, clinicdesk_worker, clinicdesk_backup;
grant select on all tables in schema auth, clinic to clinicdesk_backup;
grant select on all sequences in schema auth, clinic to clinicdesk_backup;

do $$
declare t record;
begin
    for t in select schemaname s, tablename n from pg_tables where schemaname in ('auth', 'clinic') loop
        execute format('alter table %I.%I enable row level security', t.s, t.n);
        execute format('alter table %I.%I force row level security', t.s, t.n);
        execute format('create policy owner on %I.%I to clinicdesk_owner using (true) with check (true)', t.s, t.n);
    end loop;
end $$;

-- Functions by name ------------------------------------------------------------------------------------------------------------------------
grant execute on function auth.current_session(), auth.me(), auth.my_role(), auth.my_patient(), auth.my_doctor(), auth.is_staff(), auth.who(),
    auth.challenge(text), auth.sign_in(text, bytea, text), auth.renew(), auth.sign_out(), auth.end_session(bigint), auth.sign_out_everywhere(),
    auth.is_new(), auth.create_first_administrator(text, text, bytea, int, int, int, bytea),
    auth.add_user(text, text, text, text, bytea, int, int, int, bytea), auth.change_password(bytea, bytea, int, int, int, bytea),
    auth.set_active(bigint, boolean), clinic.undelivered(), clinic.busy(timestamptz, timestamptz), clinic.zone(), clinic.check_version(),
    clinic.touch_updated_at()
    to clinicdesk_app;
grant execute on function auth.me(), auth.my_role(), auth.my_patient(), auth.my_doctor(), auth.is_staff(), clinic.zone() to clinicdesk_worker;

-- auth -------------------------------------------------------------------------------------------------------------------------------------
grant select on auth.users to clinicdesk_app;
grant update (name, version) on auth.users to clinicdesk_app;
create policy staff_read on auth.users for select to clinicdesk_app
    using ((select auth.is_staff()) or id = (select auth.me()) or ((select auth.me()) is not null and role = 'doctor'));
create policy own_or_administrator_write on auth.users for update to clinicdesk_app
    using (id = (select auth.me()) or (select auth.my_role()) = 'administrator')
    with check (id = (select auth.me()) or (select auth.my_role()) = 'administrator');

grant select (id, user_id, workstation, idle_minutes, created_at, last_used_at, expires_at, absolute_expires_at, ended_at, ended_by)
    on auth.sessions to clinicdesk_app;
create policy own_or_administrator_read on auth.sessions for select to clinicdesk_app
    using (user_id = (select auth.me()) or (select auth.my_role()) = 'administrator');

-- People -----------------------------------------------------------------------------------------------------------------------------------
grant select, insert, update on clinic.patients to clinicdesk_app;
create policy read on clinic.patients for select to clinicdesk_app using ((select auth.is_staff()) or id = (select auth.my_patient()));
create policy register on clinic.patients for insert to clinicdesk_app
    with check ((select auth.my_role()) in ('receptionist', 'administrator') and created_by = (select auth.me()));
create policy edit on clinic.patients for update to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator')) with check ((select auth.my_role()) in ('receptionist', 'administrator'));

grant select, insert, delete on clinic.patient_terms, clinic.patient_tags to clinicdesk_app;
grant select, insert, update, delete on clinic.emergency_contacts to clinicdesk_app;
do $$
declare t text;
begin
    foreach t in array array['patient_terms', 'patient_tags', 'emergency_contacts'] loop
        execute format('create policy staff_read on clinic.%I for select to clinicdesk_app using ((select auth.is_staff()))', t);
        execute format('create policy desk_insert on clinic.%I for insert to clinicdesk_app
                        with check ((select auth.my_role()) in (''receptionist'', ''administrator''))', t);
        execute format('create policy desk_delete on clinic.%I for delete to clinicdesk_app
                        using ((select auth.my_role()) in (''receptionist'', ''administrator''))', t);
    end loop;
end $$;
create policy desk_update on clinic.emergency_contacts for update to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator')) with check ((select auth.my_role()) in ('receptionist', 'administrator'));
create policy own_read on clinic.emergency_contacts for select to clinicdesk_app using (patient_id = (select auth.my_patient()));

grant select on clinic.care to clinicdesk_app;
create policy own_read on clinic.care for select to clinicdesk_app using (doctor_id = (select auth.my_doctor()));

-- Keys and what they seal. Reception writes what a patient says at registration (it makes the keys) but cannot read the clinical part again.
grant select, insert on clinic.patient_keys to clinicdesk_app;
create policy desk_read on clinic.patient_keys for select to clinicdesk_app
    using ((purpose = 'identity' and (select auth.my_role()) = 'receptionist') or (select auth.my_role()) = 'administrator'
           or patient_id = (select auth.my_patient()));
create policy care_read on clinic.patient_keys for select to clinicdesk_app
    using (exists (select 1 from clinic.care c where c.patient_id = patient_keys.patient_id and c.doctor_id = (select auth.my_doctor())
                                                 and (c.until is null or c.until >= current_date)));
create policy desk_insert on clinic.patient_keys for insert to clinicdesk_app
    with check ((select auth.my_role()) in ('receptionist', 'administrator'));

grant select, insert on clinic.sealed_fields to clinicdesk_app;
grant update (body, written_by, written_at, version) on clinic.sealed_fields to clinicdesk_app;
create policy desk_read on clinic.sealed_fields for select to clinicdesk_app
    using (field in ('ssn', 'added_note', 'about_note') and (select auth.my_role()) in ('receptionist', 'administrator')
           or patient_id = (select auth.my_patient()));
create policy care_read on clinic.sealed_fields for select to clinicdesk_app
    using (exists (select 1 from clinic.care c where c.patient_id = sealed_fields.patient_id and c.doctor_id = (select auth.my_doctor())
                                                 and (c.until is null or c.until >= current_date)));
create policy desk_insert on clinic.sealed_fields for insert to clinicdesk_app
    with check ((select auth.my_role()) in ('receptionist', 'administrator') and written_by = (select auth.me()));
create policy desk_update on clinic.sealed_fields for update to clinicdesk_app
    using (field in ('ssn', 'added_note', 'about_note') and (select auth.my_role()) in ('receptionist', 'administrator'))
    with check (written_by = (select auth.me()));
create policy care_write on clinic.sealed_fields for update to clinicdesk_app
    using (field in ('medical_history', 'allergies', 'medication')
           and exists (select 1 from clinic.care c where c.patient_id = sealed_fields.patient_id and c.doctor_id = (select auth.my_doctor())
                                                     and (c.until is null or c.until >= current_date)))
    with check (written_by = (select auth.me()));

grant select, insert on clinic.import_keys to clinicdesk_app;
create policy administrator_read on clinic.import_keys for select to clinicdesk_app using ((select auth.my_role()) = 'administrator');
create policy administrator_insert on clinic.import_keys for insert to clinicdesk_app with check ((select auth.my_role()) = 'administrator');

grant select, insert, update on clinic.doctors to clinicdesk_app;
create policy read on clinic.doctors for select to clinicdesk_app using ((select auth.me()) is not null);
create policy administrator_insert on clinic.doctors for insert to clinicdesk_app with check ((select auth.my_role()) = 'administrator');
create policy administrator_or_own_edit on clinic.doctors for update to clinicdesk_app
    using ((select auth.my_role()) = 'administrator' or user_id = (select auth.me()))
    with check ((select auth.my_role()) = 'administrator' or user_id = (select auth.me()));

grant select, insert, update on clinic.assignments to clinicdesk_app;
create policy read on clinic.assignments for select to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator') or doctor_id = (select auth.my_doctor())
           or patient_id = (select auth.my_patient()));
create policy desk_insert on clinic.assignments for insert to clinicdesk_app
    with check ((select auth.my_role()) in ('receptionist', 'administrator') and assigned_by = (select auth.me()));
create policy desk_update on clinic.assignments for update to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator')) with check ((select auth.my_role()) in ('receptionist', 'administrator'));

-- Schedule ---------------------------------------------------------------------------------------------------------------------------------
grant select, insert, delete on clinic.working_hours, clinic.closures, clinic.time_slots to clinicdesk_app;
do $$
declare t text;
begin
    foreach t in array array['working_hours', 'closures', 'time_slots'] loop
        execute format('create policy read on clinic.%I for select to clinicdesk_app using ((select auth.me()) is not null)', t);
        execute format('create policy desk_or_own_insert on clinic.%I for insert to clinicdesk_app
            with check ((select auth.my_role()) in (''receptionist'', ''administrator'') or doctor_id = (select auth.my_doctor()))', t);
        execute format('create policy desk_or_own_delete on clinic.%I for delete to clinicdesk_app
            using ((select auth.my_role()) in (''receptionist'', ''administrator'') or doctor_id = (select auth.my_doctor()))', t);
    end loop;
end $$;

grant select on clinic.appointment_steps to clinicdesk_app;
create policy read on clinic.appointment_steps for select to clinicdesk_app using (true);

grant select, insert, update on clinic.appointments to clinicdesk_app;
create policy read on clinic.appointments for select to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator') or doctor_id = (select auth.my_doctor())
           or patient_id = (select auth.my_patient()));
create policy book on clinic.appointments for insert to clinicdesk_app
    with check (booked_by = (select auth.me())
                and ((select auth.my_role()) in ('receptionist', 'administrator') or doctor_id = (select auth.my_doctor())));
create policy change on clinic.appointments for update to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator') or doctor_id = (select auth.my_doctor()))
    with check ((select auth.my_role()) in ('receptionist', 'administrator') or doctor_id = (select auth.my_doctor()));

grant select on clinic.appointment_events to clinicdesk_app;
create policy read on clinic.appointment_events for select to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator') or doctor_id = (select auth.my_doctor()));

-- The clinical record: doctors in care, and the patient herself ------------------------------------------------------------------------------
do $$
declare t text;
begin
    foreach t in array array['consultations', 'notes', 'vitals', 'problems', 'allergies', 'allergy_statements', 'medicines', 'prescriptions',
                             'prescription_items', 'records', 'annotations', 'visits'] loop
        execute format('grant select, insert on clinic.%I to clinicdesk_app', t);
        execute format('create policy own_read on clinic.%I for select to clinicdesk_app using (patient_id = (select auth.my_patient()))', t);
        execute format('create policy care_read on clinic.%1$I for select to clinicdesk_app
            using (exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                         and (c.until is null or c.until >= current_date)))', t);
    end loop;
    foreach t in array array['consultations', 'prescriptions', 'visits'] loop
        execute format('create policy doctor_insert on clinic.%1$I for insert to clinicdesk_app with check (doctor_id = (select auth.my_doctor())
            and exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                      and (c.until is null or c.until >= current_date)))', t);
    end loop;
    foreach t in array array['notes.author_id', 'vitals.recorded_by', 'problems.recorded_by', 'allergies.recorded_by',
                             'allergy_statements.stated_by', 'medicines.recorded_by', 'records.created_by'] loop
        execute format('create policy doctor_insert on clinic.%1$I for insert to clinicdesk_app with check (%2$I = (select auth.me())
            and exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                      and (c.until is null or c.until >= current_date)))', split_part(t, '.', 1), split_part(t, '.', 2));
    end loop;
    -- Whose row it is and who recorded it cannot be changed (column grants below), so the check is the reach of the old row.
    foreach t in array array['problems', 'allergies', 'medicines', 'records'] loop
        execute format('create policy doctor_update on clinic.%1$I for update to clinicdesk_app
            using (exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                         and (c.until is null or c.until >= current_date))) with check (true)', t);
    end loop;
    -- An administrator may add imported rows, which carry the key of their source and nobody's name, and cannot read them back.
    foreach t in array array['vitals.recorded_by is null', 'problems.recorded_by is null', 'allergies.recorded_by is null',
                             'medicines.recorded_by is null', 'records.created_by = (select auth.me())'] loop
        execute format('create policy administrator_import on clinic.%I for insert to clinicdesk_app
            with check ((select auth.my_role()) = ''administrator'' and source_key is not null and %s)', split_part(t, '.', 1),
            substr(t, strpos(t, '.') + 1));
    end loop;
end $$;
grant update (system, code, description, started_on, ended_on, version) on clinic.problems to clinicdesk_app;
grant update (substance, system, code, category, reaction, severity, noted_on, ended_on, version) on clinic.allergies to clinicdesk_app;
grant update (system, code, description, dosage, reason, started_on, ended_on, version) on clinic.medicines to clinicdesk_app;
grant update (kind, title, description, happened_at, version) on clinic.records to clinicdesk_app;
create policy doctor_insert on clinic.annotations for insert to clinicdesk_app
    with check (doctor_id = (select auth.my_doctor())
                and exists (select 1 from clinic.records r join clinic.care c on c.patient_id = r.patient_id
                             where r.id = record_id and r.patient_id = annotations.patient_id and c.doctor_id = (select auth.my_doctor())
                               and (c.until is null or c.until >= current_date)));
create policy item_insert on clinic.prescription_items for insert to clinicdesk_app
    with check (exists (select 1 from clinic.prescriptions p where p.id = prescription_id and p.patient_id = prescription_items.patient_id
                                                               and p.doctor_id = (select auth.my_doctor())));
grant update (status, completed_at, signed_by, content_sha256, version) on clinic.consultations to clinicdesk_app;
create policy doctor_update on clinic.consultations for update to clinicdesk_app
    using (doctor_id = (select auth.my_doctor())) with check (doctor_id = (select auth.my_doctor()));
create policy administrator_read on clinic.consultations for select to clinicdesk_app using ((select auth.my_role()) = 'administrator');
create policy administrator_read on clinic.visits for select to clinicdesk_app using ((select auth.my_role()) = 'administrator');
grant update (printed, last_printed_at) on clinic.prescriptions to clinicdesk_app;
create policy doctor_update on clinic.prescriptions for update to clinicdesk_app
    using (exists (select 1 from clinic.care c where c.patient_id = prescriptions.patient_id and c.doctor_id = (select auth.my_doctor())
                                                 and (c.until is null or c.until >= current_date))) with check (true);

grant select, insert, update, delete on clinic.drafts to clinicdesk_app;
create policy author on clinic.drafts to clinicdesk_app using (author_id = (select auth.me()))
    with check (author_id = (select auth.me())
                and exists (select 1 from clinic.consultations c where c.id = consultation_id and c.doctor_id = (select auth.my_doctor())));

-- The way to MongoDB -------------------------------------------------------------------------------------------------------------------------
grant select, insert on clinic.visit_outbox to clinicdesk_app;
create policy read on clinic.visit_outbox for select to clinicdesk_app
    using (exists (select 1 from clinic.visits v where v.id = visit_id and v.revision = visit_outbox.revision));
create policy doctor_insert on clinic.visit_outbox for insert to clinicdesk_app
    with check (delivered_at is null and attempts = 0 and exists (
        select 1 from clinic.visits v where v.id = visit_id and v.revision = visit_outbox.revision and v.doctor_id = (select auth.my_doctor())));

grant select on clinic.visits, clinic.visit_outbox, clinic.settings to clinicdesk_worker;
grant update (delivered_at, attempts, last_problem) on clinic.visit_outbox to clinicdesk_worker;
create policy worker on clinic.visits for select to clinicdesk_worker using (true);
create policy worker_read on clinic.visit_outbox for select to clinicdesk_worker using (true);
create policy worker_update on clinic.visit_outbox for update to clinicdesk_worker using (true) with check (true);
create policy worker on clinic.settings for select to clinicdesk_worker using (true);

-- Settings are read before anybody signs in (name of the clinic, zone); only the administrator changes them.
grant select, insert, update on clinic.settings to clinicdesk_app;
create policy read on clinic.settings for select to clinicdesk_app using (true);
create policy administrator_insert on clinic.settings for insert to clinicdesk_app with check ((select auth.my_role()) = 'administrator');
create policy administrator_update on clinic.settings for update to clinicdesk_app
    using ((select auth.my_role()) = 'administrator') with check ((select auth.my_role()) = 'administrator');

-- The queue: the worker runs it, nobody else touches it.
grant usage on schema jobs to clinicdesk_worker, clinicdesk_backup;
grant select, insert, update, delete on all tables in schema jobs to clinicdesk_worker;
grant usage on all sequences in schema jobs to clinicdesk_worker;
grant select on all tables in schema jobs to clinicdesk_backup;
grant execute on all functions in schema jobs to clinicdesk_worker;

insert into auth.secrets (value) values (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
