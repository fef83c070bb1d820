-- Series of appointments, what a desk did and can take back, and messages to patients that wait until the undo window is over.

-- Series: appointments that belong together. The row holds the words of the rule; the appointments are the truth. -----------------------
create table clinic.series (
    id bigint generated always as identity,
    patient_id text not null,
    rule text not null,
    made_by bigint,
    created_at timestamp with time zone default now() not null,
    constraint pk_series primary key (id),
    constraint fk_series_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_series_made_by foreign key (made_by) references auth.users (id),
    constraint ck_series_rule check (char_length(rule) between 1 and 200)
);
alter table clinic.appointments add column series_id bigint;
alter table clinic.appointments add constraint fk_appointments_series_id foreign key (series_id) references clinic.series (id);
create index ix_appointments_series_id on clinic.appointments (series_id);

-- What a desk did, as states of appointments before and after. One row is one thing a person did, whatever number of appointments it touched.
create table clinic.desk_actions (
    id bigint generated always as identity,
    user_id bigint not null,
    at timestamp with time zone default now() not null,
    kind text not null,
    changes jsonb not null,
    state text default 'done' not null,
    note text default '' not null,
    settled_at timestamp with time zone,
    constraint pk_desk_actions primary key (id),
    constraint fk_desk_actions_user_id foreign key (user_id) references auth.users (id),
    constraint ck_desk_actions_kind check (kind in ('book', 'move', 'step', 'series', 'offer')),
    constraint ck_desk_actions_changes check (jsonb_typeof(changes) = 'array' and jsonb_array_length(changes) between 1 and 400),
    constraint ck_desk_actions_state check (state in ('done', 'undone', 'refused')),
    constraint ck_desk_actions_note check (char_length(note) <= 400)
);
create index ix_desk_actions_user_id_id on clinic.desk_actions (user_id, id);

-- Messages to patients: at most one waits for an appointment, and says how things stand against what she was last told. -------------------
create table clinic.messages (
    id bigint generated always as identity,
    patient_id text not null,
    appointment_id bigint not null,
    kind text not null,
    doctor_id bigint not null,
    starts_at timestamp with time zone not null,
    created_at timestamp with time zone default now() not null,
    hold_until timestamp with time zone not null,
    released_at timestamp with time zone,
    constraint pk_messages primary key (id),
    constraint fk_messages_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_messages_appointment_id foreign key (appointment_id) references clinic.appointments (id),
    constraint fk_messages_doctor_id foreign key (doctor_id) references clinic.doctors (id),
    constraint ck_messages_kind check (kind in ('booked', 'moved', 'cancelled'))
);
create unique index uq_messages_waiting on clinic.messages (appointment_id) where released_at is null;
create index ix_messages_patient_id on clinic.messages (patient_id);
create index ix_messages_appointment_id on clinic.messages (appointment_id);

-- The history of a booking outlives it when it is taken back.
alter table clinic.appointment_events drop constraint fk_appointment_events_appointment_id;

insert into clinic.appointment_steps values
    ('confirmed', 'scheduled', false), ('cancelled', 'arrived', false), ('no_show', 'confirmed', false), ('no_show', 'arrived', false),
    ('arrived', 'no_show', false);

-- How long a change may be taken back without the patient hearing of it.
create function clinic.undo_window() returns interval
language sql immutable set search_path = pg_catalog, pg_temp as $$ select interval '3 minutes' $$;

-- What the patient must hear of an appointment as it stands now; `p_new`: it was booked just now, so nothing was said of it before.
create function clinic.tell_patient(p_now clinic.appointments, p_new boolean) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_told clinic.messages;
    v_kind text := 'booked';
begin
    if not p_new then
        delete from clinic.messages where appointment_id = p_now.id and released_at is null;
    end if;
    if p_now.starts_at <= now() or p_now.status not in ('scheduled', 'confirmed', 'cancelled')
       or not exists (select 1 from clinic.patients p where p.id = p_now.patient_id and p.died is null and (p.phone is not null or p.email <> '')) then
        return;
    end if;
    if not p_new then
        select * into v_told from clinic.messages
         where appointment_id = p_now.id and released_at is not null order by released_at desc, id desc limit 1;
        v_kind := case
            when p_now.status = 'cancelled' then case when v_told.kind in ('booked', 'moved') then 'cancelled' end
            when v_told.kind is null or v_told.kind = 'cancelled' then 'booked'
            when (v_told.doctor_id, v_told.starts_at) is distinct from (p_now.doctor_id, p_now.starts_at) then 'moved' end;
    end if;
    if v_kind is not null then
        insert into clinic.messages (patient_id, appointment_id, kind, doctor_id, starts_at, hold_until)
        values (p_now.patient_id, p_now.id, v_kind, p_now.doctor_id, p_now.starts_at, now() + clinic.undo_window());
    end if;
end $$;

create or replace function clinic.guard_appointment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_step clinic.appointment_steps;
    v_me bigint := auth.me();
begin
    -- Nobody is asking only where the owner works (import, demo): row security lets nobody else get here.
    if tg_op = 'INSERT' then
        if v_me is not null then
            if new.series_id is not null
               and not exists (select 1 from clinic.series s where s.id = new.series_id and s.patient_id = new.patient_id) then
                raise exception using errcode = 'CD010', constraint = 'appointment_fixed', message = 'refused';
            end if;
            if new.status not in ('scheduled', 'confirmed') then
                raise exception using errcode = 'CD010', constraint = 'appointment_first_status', message = 'refused';
            end if;
            if new.starts_at < now() - interval '12 hours' then
                raise exception using errcode = 'CD010', constraint = 'appointment_past', message = 'refused';
            end if;
        end if;
        return new;
    end if;
    if (new.id, new.patient_id, new.created_at, new.booked_by, new.request_key, new.series_id)
       is distinct from (old.id, old.patient_id, old.created_at, old.booked_by, old.request_key, old.series_id) then
        raise exception using errcode = 'CD010', constraint = 'appointment_fixed', message = 'refused';
    end if;
    if (new.doctor_id, new.starts_at, new.ends_at, new.lane) is distinct from (old.doctor_id, old.starts_at, old.ends_at, old.lane) then
        if old.status not in ('scheduled', 'confirmed', 'arrived') or new.status is distinct from old.status then
            raise exception using errcode = 'CD010', constraint = 'appointment_move', message = 'refused';
        end if;
        if v_me is not null and new.starts_at < now() - interval '12 hours' then
            raise exception using errcode = 'CD010', constraint = 'appointment_past', message = 'refused';
        end if;
    end if;
    if new.status is distinct from old.status then
        select * into v_step from clinic.appointment_steps where old_status = old.status and new_status = new.status;
        if v_step.new_status is null then
            raise exception using errcode = 'CD010', constraint = 'appointment_step', message = 'refused';
        end if;
        if v_step.by_doctor_only and v_me is not null and new.doctor_id is distinct from auth.my_doctor() then
            raise exception using errcode = 'CD010', constraint = 'appointment_doctor_only', message = 'refused';
        end if;
        if new.status = 'completed'
           and not exists (select 1 from clinic.consultations c where c.appointment_id = new.id and c.status = 'completed') then
            raise exception using errcode = 'CD010', constraint = 'appointment_unsigned', message = 'refused';
        end if;
        -- Taken back, a status goes on since when it began the first time, if the history knows that moment: minutes in the waiting room.
        if new.status_since = old.status_since
           or not exists (select 1 from clinic.appointment_events e
                           where e.appointment_id = new.id and e.status = new.status and e.at = new.status_since) then
            new.status_since := now();
        end if;
        if old.status = 'cancelled' then new.cancel_reason := ''; end if;
    else
        new.status_since := old.status_since;
    end if;
    return new;
end $$;

-- As in 0003, but one after the other for each patient, so that two desks cannot each see the other's appointment as the one that still
-- stands; and a row that need not change is not locked. The owner's tools run alone and would hold a lock for each patient there is.
create or replace function clinic.renew_care(p_doctor bigint, p_patient text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_open boolean;
    v_until date;
begin
    if auth.me() is not null then perform pg_advisory_xact_lock(7043, hashtext(p_patient)); end if;
    v_open := exists (select 1 from clinic.appointments where doctor_id = p_doctor and patient_id = p_patient
                                                          and status not in ('cancelled', 'no_show'))
           or exists (select 1 from clinic.assignments where doctor_id = p_doctor and patient_id = p_patient and ends_on is null);
    if v_open and exists (select 1 from clinic.care where doctor_id = p_doctor and patient_id = p_patient and until is null) then return; end if;
    if not v_open then
        select max(ends_on) into v_until from clinic.assignments
         where doctor_id = p_doctor and patient_id = p_patient and ends_on >= current_date;
    end if;
    if v_open or v_until is not null then
        insert into clinic.care (doctor_id, patient_id, until) values (p_doctor, p_patient, v_until)
        on conflict (doctor_id, patient_id) do update set until = excluded.until where care.until is distinct from excluded.until;
    else
        delete from clinic.care where doctor_id = p_doctor and patient_id = p_patient;
    end if;
end $$;

create or replace function clinic.follow_appointment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_what text;
    v_zone text := clinic.zone();
    v_me bigint := auth.me();
begin
    if tg_op = 'DELETE' then
        perform clinic.renew_care(old.doctor_id, old.patient_id);
        perform pg_notify('clinicdesk', 'appointments ' || (old.starts_at at time zone v_zone)::date);
        return null;
    end if;
    v_what := case when tg_op = 'INSERT' then 'booked' when new.status is distinct from old.status then new.status
                   when (new.doctor_id, new.starts_at, new.ends_at, new.lane) is distinct from (old.doctor_id, old.starts_at, old.ends_at, old.lane)
                   then 'moved' else 'changed' end;
    insert into clinic.appointment_events (appointment_id, user_id, what, status, doctor_id, starts_at, ends_at, lane, detail)
    values (new.id, v_me, v_what, new.status, new.doctor_id, new.starts_at, new.ends_at, new.lane,
            case v_what when 'cancelled' then new.cancel_reason when 'booked' then new.overbook_reason else '' end);
    if tg_op = 'INSERT' then
        perform clinic.renew_care(new.doctor_id, new.patient_id);
        insert into clinic.records (patient_id, appointment_id, kind, title, happened_at, created_by)
        values (new.patient_id, new.id, 'visit', 'Visit', new.starts_at, v_me);
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
    if v_me is not null and v_what <> 'changed' then perform clinic.tell_patient(new, tg_op = 'INSERT'); end if;
    perform pg_notify('clinicdesk', 'appointments ' || (new.starts_at at time zone v_zone)::date);
    return null;
end $$;
drop trigger follow_appointment on clinic.appointments;
create trigger follow_appointment after insert or update or delete on clinic.appointments for each row execute function clinic.follow_appointment();

-- Take a booking back as if it had never been made: only who made it and may still change it, only within the week her list of actions
-- covers, and only while nobody else touched it, nothing hangs on it and the patient was told nothing. The history keeps the line, with
-- whose booking it was. False: something stands against it, cancel it instead. Who may not is refused before the row is locked.
create function clinic.take_back(p_appointment bigint) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_row clinic.appointments;
    v_me bigint := auth.me();
begin
    select * into v_row from clinic.appointments a
     where a.id = p_appointment and a.booked_by = v_me
       and (auth.my_role() in ('receptionist', 'administrator') or a.doctor_id = auth.my_doctor()) for update;
    if v_row.id is null then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    -- The worker lets a message go without looking at the appointment: from here on it cannot.
    perform 1 from clinic.messages m where m.appointment_id = p_appointment for update;
    if v_row.status not in ('scheduled', 'confirmed') or v_row.created_at < now() - interval '7 days'
       or exists (select 1 from clinic.messages m where m.appointment_id = p_appointment and m.released_at is not null)
       or exists (select 1 from clinic.appointment_events e where e.appointment_id = p_appointment and e.user_id <> v_me)
       or exists (select 1 from clinic.annotations n join clinic.records r on r.id = n.record_id where r.appointment_id = p_appointment)
       or exists (select 1 from clinic.records r where r.appointment_id = p_appointment and (r.description is not null or r.title <> 'Visit')) then
        return false;
    end if;
    begin
        insert into clinic.appointment_events (appointment_id, user_id, what, status, doctor_id, starts_at, ends_at, lane, detail)
        values (v_row.id, v_me, 'taken back', v_row.status, v_row.doctor_id, v_row.starts_at, v_row.ends_at, v_row.lane, v_row.patient_id);
        delete from clinic.messages where appointment_id = p_appointment;
        delete from clinic.records where appointment_id = p_appointment;
        delete from clinic.appointments where id = p_appointment;
        delete from clinic.series s where s.id = v_row.series_id
           and not exists (select 1 from clinic.appointments a where a.series_id = s.id);
    exception when foreign_key_violation then
        return false;
    end;
    return true;
end $$;

-- Make a booking again that its maker took back: the same number, patient, doctor, time and status, all of it as the history says, so that
-- only what the history does not keep (the words, the request, the series) is taken from `p_row`.
create function clinic.book_again(p_appointment bigint, p_row jsonb, p_rule text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_me bigint := auth.me();
    v_series bigint := (p_row ->> 'series_id')::bigint;
    v_since timestamptz := (p_row ->> 'status_since')::timestamptz;
    v_last clinic.appointment_events;
begin
    select * into v_last from clinic.appointment_events where appointment_id = p_appointment order by id desc limit 1;
    if v_me is null or v_last.user_id is distinct from v_me or v_last.what <> 'taken back'
       or v_last.detail is distinct from p_row ->> 'patient_id'
       or not coalesce(auth.my_role() in ('receptionist', 'administrator') or v_last.doctor_id = auth.my_doctor(), false) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    if v_series is not null and v_series <= (select last_value from clinic.series_id_seq)
       and not exists (select 1 from clinic.series s where s.id = v_series) then
        insert into clinic.series (id, patient_id, rule, made_by) overriding system value
        values (v_series, v_last.detail, p_rule, v_me);
    end if;
    insert into clinic.appointments (id, doctor_id, patient_id, starts_at, ends_at, status, lane, reason, overbook_reason, request_key,
                                     booked_by, created_at, status_since, series_id) overriding system value
    values (p_appointment, v_last.doctor_id, v_last.detail, v_last.starts_at, v_last.ends_at, v_last.status, v_last.lane,
            p_row ->> 'reason', p_row ->> 'overbook_reason', p_row ->> 'request_key', v_me,
            (select min(e.at) from clinic.appointment_events e where e.appointment_id = p_appointment),
            case when exists (select 1 from clinic.appointment_events e
                               where e.appointment_id = p_appointment and e.status = v_last.status and e.at = v_since and e.what <> 'taken back')
                 then v_since else now() end, v_series);
end $$;

-- The list is a desk's memory, not an archive: a week of it is kept.
create function clinic.forget_actions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- The oldest few by the index: as many go as come, and nobody's whole week is read at each click.
    delete from clinic.desk_actions where at < now() - interval '7 days' and id in (
        select a.id from clinic.desk_actions a where a.user_id = new.user_id order by a.id limit 10);
    return null;
end $$;
create trigger forget_actions after insert on clinic.desk_actions for each row execute function clinic.forget_actions();

create trigger tell after insert or update on clinic.desk_actions for each row execute function clinic.tell('actions', '');
create trigger tell after insert or update or delete on clinic.messages for each row execute function clinic.tell('messages', '');

-- Walls -------------------------------------------------------------------------------------------------------------------------------------
do $$
declare t text;
begin
    foreach t in array array['series', 'desk_actions', 'messages'] loop
        execute format('alter table clinic.%I enable row level security', t);
        execute format('alter table clinic.%I force row level security', t);
        execute format('create policy owner on clinic.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on clinic.%I, clinic.%I to clinicdesk_backup', t, t || '_id_seq');
    end loop;
end $$;
-- Columns by name: numbers are the sequence's, moments the clock's, and whose booking it is never changes.
revoke insert, update on clinic.appointments from clinicdesk_app;
grant insert (doctor_id, patient_id, starts_at, ends_at, status, lane, reason, overbook_reason, request_key, booked_by, series_id)
    on clinic.appointments to clinicdesk_app;
grant update (doctor_id, starts_at, ends_at, status, status_since, lane, reason, overbook_reason, cancel_reason, version)
    on clinic.appointments to clinicdesk_app;

grant select, insert (patient_id, rule, made_by) on clinic.series to clinicdesk_app;
create policy read on clinic.series for select to clinicdesk_app
    using ((select auth.is_staff()) or patient_id = (select auth.my_patient()));
create policy staff_insert on clinic.series for insert to clinicdesk_app
    with check ((select auth.is_staff()) and made_by = (select auth.me()));

grant select, insert (user_id, kind, changes) on clinic.desk_actions to clinicdesk_app;
grant update (state, note, settled_at) on clinic.desk_actions to clinicdesk_app;
create policy own_read on clinic.desk_actions for select to clinicdesk_app using (user_id = (select auth.me()));
create policy own_insert on clinic.desk_actions for insert to clinicdesk_app
    with check (user_id = (select auth.me()) and (select auth.is_staff()));
create policy own_update on clinic.desk_actions for update to clinicdesk_app
    using (user_id = (select auth.me())) with check (user_id = (select auth.me()));

grant select on clinic.messages to clinicdesk_app, clinicdesk_worker;
grant update (released_at), delete on clinic.messages to clinicdesk_worker;
create policy desk_read on clinic.messages for select to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator') or patient_id = (select auth.my_patient()));
create policy worker on clinic.messages to clinicdesk_worker using (true) with check (true);

grant execute on function clinic.take_back(bigint), clinic.book_again(bigint, jsonb, text) to clinicdesk_app;
