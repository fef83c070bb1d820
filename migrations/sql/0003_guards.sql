-- What no client can talk its way around: versions, the steps of an appointment, the lock after signing, the care relation,
-- notices to other desks, and the job that carries a visit to MongoDB. Refusals carry SQLSTATE CD010 and a constraint name.

-- Versions ---------------------------------------------------------------------------------------------------------------------
create function clinic.check_version() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.version <> old.version + 1 then
        raise exception using errcode = 'CD003', message = 'changed elsewhere', table = tg_table_name;
    end if;
    return new;
end $$;

create function clinic.touch_updated_at() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.updated_at := now();
    new.created_at := old.created_at;
    new.created_by := old.created_by;
    return new;
end $$;
create trigger touch_updated_at before update on clinic.patients for each row execute function clinic.touch_updated_at();

do $$
declare t text;
begin
    foreach t in array array['auth.users', 'clinic.patients', 'clinic.sealed_fields', 'clinic.doctors', 'clinic.assignments',
        'clinic.appointments', 'clinic.consultations', 'clinic.drafts', 'clinic.problems', 'clinic.allergies', 'clinic.medicines',
        'clinic.records', 'clinic.settings'] loop
        execute format('create trigger check_version before update on %s for each row execute function clinic.check_version()', t);
    end loop;
end $$;

-- The clinic's zone, for the day in a notice ----------------------------------------------------------------------------------------
create function clinic.zone() returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce((select s.value ->> 0 from clinic.settings s where s.key = 'zone' and jsonb_typeof(s.value) = 'array'),
                    (select s.value #>> '{}' from clinic.settings s where s.key = 'zone'), 'UTC');
end $$;

-- Appointments ---------------------------------------------------------------------------------------------------------------------
create table clinic.appointment_steps (
    old_status text not null, new_status text not null, by_doctor_only boolean not null,
    constraint pk_appointment_steps primary key (old_status, new_status)
);
insert into clinic.appointment_steps values
    ('scheduled', 'confirmed', false), ('scheduled', 'arrived', false), ('scheduled', 'cancelled', false), ('scheduled', 'no_show', false),
    ('confirmed', 'arrived', false), ('confirmed', 'cancelled', false), ('confirmed', 'no_show', false),
    ('arrived', 'in_progress', true), ('arrived', 'cancelled', false), ('arrived', 'confirmed', false), ('arrived', 'scheduled', false),
    ('in_progress', 'completed', true),
    ('cancelled', 'scheduled', false), ('cancelled', 'confirmed', false), ('no_show', 'scheduled', false);

create function clinic.guard_appointment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_step clinic.appointment_steps;
begin
    -- auth.me() is null only for the owner (import, demo) and for nobody: row security lets nobody get here.
    if tg_op = 'INSERT' then
        if auth.me() is not null then
            if new.status not in ('scheduled', 'confirmed') then
                raise exception using errcode = 'CD010', constraint = 'appointment_first_status', message = 'refused';
            end if;
            if new.starts_at < now() - interval '12 hours' then
                raise exception using errcode = 'CD010', constraint = 'appointment_past', message = 'refused';
            end if;
        end if;
        return new;
    end if;
    if (new.patient_id, new.created_at, new.booked_by) is distinct from (old.patient_id, old.created_at, old.booked_by) then
        raise exception using errcode = 'CD010', constraint = 'appointment_fixed', message = 'refused';
    end if;
    if (new.doctor_id, new.starts_at, new.ends_at, new.lane) is distinct from (old.doctor_id, old.starts_at, old.ends_at, old.lane) then
        if old.status not in ('scheduled', 'confirmed', 'arrived') or new.status is distinct from old.status then
            raise exception using errcode = 'CD010', constraint = 'appointment_move', message = 'refused';
        end if;
        if auth.me() is not null and new.starts_at < now() - interval '12 hours' then
            raise exception using errcode = 'CD010', constraint = 'appointment_past', message = 'refused';
        end if;
    end if;
    if new.status is distinct from old.status then
        select * into v_step from clinic.appointment_steps where old_status = old.status and new_status = new.status;
        if v_step.new_status is null then
            raise exception using errcode = 'CD010', constraint = 'appointment_step', message = 'refused';
        end if;
        if v_step.by_doctor_only and auth.me() is not null and new.doctor_id is distinct from auth.my_doctor() then
            raise exception using errcode = 'CD010', constraint = 'appointment_doctor_only', message = 'refused';
        end if;
        if new.status = 'completed'
           and not exists (select 1 from clinic.consultations c where c.appointment_id = new.id and c.status = 'completed') then
            raise exception using errcode = 'CD010', constraint = 'appointment_unsigned', message = 'refused';
        end if;
        new.status_since := now();
        if old.status = 'cancelled' then new.cancel_reason := ''; end if;
    else
        new.status_since := old.status_since;
    end if;
    return new;
end $$;
create trigger guard_appointment before insert or update on clinic.appointments for each row execute function clinic.guard_appointment();

-- Who may read whose record: open assignment or any booking that was not called off. An assignment counts from the moment it is made,
-- also when it starts later: she prepares, and nothing has to run on the day.
create function clinic.renew_care(p_doctor bigint, p_patient text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_open boolean;
    v_until date;
begin
    v_open := exists (select 1 from clinic.appointments where doctor_id = p_doctor and patient_id = p_patient
                                                          and status not in ('cancelled', 'no_show'))
           or exists (select 1 from clinic.assignments where doctor_id = p_doctor and patient_id = p_patient and ends_on is null);
    select max(ends_on) into v_until from clinic.assignments where doctor_id = p_doctor and patient_id = p_patient and ends_on >= current_date;
    if v_open or v_until is not null then
        insert into clinic.care (doctor_id, patient_id, until) values (p_doctor, p_patient, case when v_open then null else v_until end)
        on conflict (doctor_id, patient_id) do update set until = excluded.until where care.until is distinct from excluded.until;
    else
        delete from clinic.care where doctor_id = p_doctor and patient_id = p_patient;
    end if;
end $$;

create function clinic.follow_appointment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_what text;
    v_zone text := clinic.zone();
begin
    v_what := case when tg_op = 'INSERT' then 'booked' when new.status is distinct from old.status then new.status
                   when (new.doctor_id, new.starts_at, new.ends_at, new.lane) is distinct from (old.doctor_id, old.starts_at, old.ends_at, old.lane)
                   then 'moved' else 'changed' end;
    insert into clinic.appointment_events (appointment_id, user_id, what, status, doctor_id, starts_at, ends_at, lane, detail)
    values (new.id, auth.me(), v_what, new.status, new.doctor_id, new.starts_at, new.ends_at, new.lane,
            case v_what when 'cancelled' then new.cancel_reason when 'booked' then new.overbook_reason else '' end);
    if tg_op = 'INSERT' then
        perform clinic.renew_care(new.doctor_id, new.patient_id);
        insert into clinic.records (patient_id, appointment_id, kind, title, happened_at, created_by)
        values (new.patient_id, new.id, 'visit', 'Visit', new.starts_at, auth.me());
    else
        if new.starts_at is distinct from old.starts_at then
            update clinic.records set happened_at = new.starts_at, version = version + 1 where appointment_id = new.id;
        end if;
        if new.doctor_id is distinct from old.doctor_id or new.status is distinct from old.status then
            perform clinic.renew_care(new.doctor_id, new.patient_id);
        end if;
        if new.doctor_id is distinct from old.doctor_id then
            perform clinic.renew_care(old.doctor_id, old.patient_id);
        end if;
        if (old.starts_at at time zone v_zone)::date <> (new.starts_at at time zone v_zone)::date then
            perform pg_notify('clinicdesk', 'appointments ' || (old.starts_at at time zone v_zone)::date);
        end if;
    end if;
    perform pg_notify('clinicdesk', 'appointments ' || (new.starts_at at time zone v_zone)::date);
    return null;
end $$;
create trigger follow_appointment after insert or update on clinic.appointments for each row execute function clinic.follow_appointment();

create function clinic.follow_assignment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform clinic.renew_care(new.doctor_id, new.patient_id);
    perform pg_notify('clinicdesk', 'patients ' || new.patient_id);
    return null;
end $$;
create trigger follow_assignment after insert or update on clinic.assignments for each row execute function clinic.follow_assignment();

-- Consultations: signed means closed ---------------------------------------------------------------------------------------------------
create function clinic.guard_consultation() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        if not exists (select 1 from clinic.appointments a where a.id = new.appointment_id and a.status = 'in_progress'
                                                             and a.patient_id = new.patient_id and a.doctor_id = new.doctor_id)
           and auth.me() is not null then
            raise exception using errcode = 'CD010', constraint = 'consultation_appointment', message = 'refused';
        end if;
        return new;
    end if;
    if old.status = 'completed' then
        raise exception using errcode = 'CD010', constraint = 'consultation_signed', message = 'refused';
    end if;
    if (new.appointment_id, new.patient_id, new.doctor_id, new.started_at)
       is distinct from (old.appointment_id, old.patient_id, old.doctor_id, old.started_at)
       or (new.signed_by is not null and auth.me() is not null and new.signed_by <> auth.me()) then
        raise exception using errcode = 'CD010', constraint = 'consultation_fixed', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_consultation before insert or update on clinic.consultations for each row execute function clinic.guard_consultation();

create function clinic.refuse_after_signing() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if new.consultation_id is not null and auth.me() is not null and not exists (
        select 1 from clinic.consultations c where c.id = new.consultation_id and c.patient_id = new.patient_id
                                               and c.status = 'in_progress' and c.doctor_id = auth.my_doctor()) then
        raise exception using errcode = 'CD010', constraint = 'consultation_signed', message = 'refused';
    end if;
    return new;
end $$;
create trigger refuse_after_signing before insert on clinic.notes for each row execute function clinic.refuse_after_signing();
create trigger refuse_after_signing before insert on clinic.vitals for each row execute function clinic.refuse_after_signing();
create trigger refuse_after_signing before insert on clinic.prescriptions for each row execute function clinic.refuse_after_signing();

create function clinic.guard_item() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is not null and not exists (
        select 1 from clinic.prescriptions p join clinic.consultations c on c.id = p.consultation_id
         where p.id = new.prescription_id and p.patient_id = new.patient_id and c.status = 'in_progress') then
        raise exception using errcode = 'CD010', constraint = 'consultation_signed', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_item before insert on clinic.prescription_items for each row execute function clinic.guard_item();

create function clinic.guard_draft() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is not null and not exists (
        select 1 from clinic.consultations c where c.id = new.consultation_id and c.status = 'in_progress' and c.doctor_id = auth.my_doctor()) then
        raise exception using errcode = 'CD010', constraint = 'consultation_signed', message = 'refused';
    end if;
    new.saved_at := now();
    return new;
end $$;
create trigger guard_draft before insert or update on clinic.drafts for each row execute function clinic.guard_draft();

-- Visits: only the appointment's doctor, only when it is completed ------------------------------------------------------------------------
create function clinic.guard_visit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select 1 from clinic.appointments a join clinic.consultations c on c.appointment_id = a.id
                    where a.id = new.appointment_id and c.id = new.consultation_id and a.status = 'completed'
                      and a.patient_id = new.patient_id and a.doctor_id = new.doctor_id
                      and (auth.me() is null or a.doctor_id = auth.my_doctor())) then
        raise exception using errcode = 'CD010', constraint = 'visit_not_completed', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_visit before insert on clinic.visits for each row execute function clinic.guard_visit();

create function clinic.follow_visit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_notify('clinicdesk', 'visits ' || new.patient_id);
    return null;
end $$;
create trigger follow_visit after insert on clinic.visits for each row execute function clinic.follow_visit();

create function clinic.follow_outbox() returns trigger
language plpgsql security definer set search_path = jobs, pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' and new.delivered_at is null then
        perform jobs.procrastinate_defer_jobs_v1(array[row('documents', 'deliver_visit', 0, null, null,
            jsonb_build_object('visit_id', new.visit_id, 'revision', new.revision), null)::jobs.procrastinate_job_to_defer_v1]);
    end if;
    perform pg_notify('clinicdesk', 'outbox');
    return null;
end $$;
create trigger follow_outbox after insert or update on clinic.visit_outbox for each row execute function clinic.follow_outbox();

-- How many visits still wait for the document server: any signed-in person may know the number.
create function clinic.undelivered() returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is null then return 0; end if;
    return (select count(*) from clinic.visit_outbox where delivered_at is null);
end $$;

-- Reception learns that a doctor is busy without reading the doctor's records: start and end of what holds her time.
create function clinic.busy(p_from timestamptz, p_to timestamptz)
returns table (doctor_id bigint, starts_at timestamptz, ends_at timestamptz, lane int)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is null then return; end if;
    return query select a.doctor_id, a.starts_at, a.ends_at, a.lane from clinic.appointments a
                  where a.starts_at < p_to and a.starts_at > p_from - interval '12 hours' and a.ends_at > p_from
                    and a.status not in ('cancelled', 'no_show');
end $$;

-- Notices of everything else: table name, and the patient where there is one ---------------------------------------------------------------
create function clinic.tell() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare r jsonb := to_jsonb(coalesce(new, old));
begin
    perform pg_notify('clinicdesk', trim(tg_argv[0] || ' ' || case when tg_argv[1] <> '' then coalesce(r ->> tg_argv[1], '') else '' end));
    return null;
end $$;
do $$
declare x text[];
begin
    foreach x slice 1 in array array[
        ['clinic.patients', 'patients', 'id'], ['clinic.patient_tags', 'patients', 'patient_id'], ['clinic.sealed_fields', 'patients', 'patient_id'],
        ['clinic.emergency_contacts', 'patients', 'patient_id'], ['clinic.doctors', 'doctors', ''], ['clinic.working_hours', 'availability', ''],
        ['clinic.closures', 'availability', ''], ['clinic.time_slots', 'availability', ''], ['clinic.problems', 'chart', 'patient_id'],
        ['clinic.allergies', 'chart', 'patient_id'], ['clinic.allergy_statements', 'chart', 'patient_id'], ['clinic.medicines', 'chart', 'patient_id'],
        ['clinic.vitals', 'chart', 'patient_id'], ['clinic.records', 'chart', 'patient_id'], ['clinic.annotations', 'chart', 'patient_id'],
        ['clinic.prescriptions', 'chart', 'patient_id'], ['clinic.settings', 'settings', ''], ['auth.users', 'users', '']
    ] loop
        execute format('create trigger tell after insert or update or delete on %s for each row execute function clinic.tell(%L, %L)', x[1], x[2], x[3]);
    end loop;
end $$;
-- A session that begins or ends is news; one that is renewed each minute is not.
create trigger tell after insert or update of ended_at on auth.sessions for each row execute function clinic.tell('sessions', '');
