-- What somebody else did that concerns a person: the bell. Written by triggers alone; at most one unread line for each appointment.

create table clinic.notifications (
    id bigint generated always as identity,
    user_id bigint not null,
    at timestamp with time zone default now() not null,
    kind text not null,
    patient_id text not null,
    appointment_id bigint,
    starts_at timestamp with time zone,
    by_user bigint,
    read_at timestamp with time zone,
    constraint pk_notifications primary key (id),
    constraint fk_notifications_user_id foreign key (user_id) references auth.users (id),
    constraint fk_notifications_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_notifications_by_user foreign key (by_user) references auth.users (id),
    constraint ck_notifications_kind check (kind in ('booked', 'moved', 'moved_away', 'cancelled', 'no_show', 'arrived', 'assigned', 'unassigned'))
);
create index ix_notifications_user_id_id on clinic.notifications (user_id, id);
create index ix_notifications_patient_id on clinic.notifications (patient_id);
create unique index uq_notifications_unread on clinic.notifications (appointment_id, user_id) where read_at is null;

create function clinic.notice(p_user bigint, p_kind text, p_patient text, p_appointment bigint, p_starts timestamptz) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if p_user is null or p_user = auth.me() then return; end if;
    delete from clinic.notifications where appointment_id = p_appointment and user_id = p_user and read_at is null;
    -- A month is kept; the oldest few go as new ones come, and are left to whoever is holding them.
    delete from clinic.notifications where at < now() - interval '30 days' and id in (
        select n.id from clinic.notifications n where n.user_id = p_user order by n.id limit 10 for update skip locked);
    insert into clinic.notifications (user_id, kind, patient_id, appointment_id, starts_at, by_user)
    values (p_user, p_kind, p_patient, p_appointment, p_starts, auth.me());
    perform pg_notify('clinicdesk', 'notifications ' || p_user);
end $$;

create function clinic.notice_appointment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_doctor bigint;
    v_old bigint;
    v_kind text;
    v_desk bigint;
begin
    if auth.me() is null then return null; end if;
    if tg_op = 'DELETE' then
        for v_desk in delete from clinic.notifications where appointment_id = old.id and read_at is null returning user_id loop
            perform pg_notify('clinicdesk', 'notifications ' || v_desk);
        end loop;
        return null;
    end if;
    select user_id into v_doctor from clinic.doctors where id = new.doctor_id;
    if tg_op = 'INSERT' then
        v_kind := 'booked';
    elsif new.status is distinct from old.status then
        v_kind := case when new.status in ('cancelled', 'no_show', 'arrived') then new.status
                       when old.status in ('cancelled', 'no_show') then 'booked' end;
        if v_kind is null and old.status = 'arrived' and new.status in ('scheduled', 'confirmed') then
            delete from clinic.notifications where appointment_id = new.id and kind = 'arrived' and read_at is null;
            perform pg_notify('clinicdesk', 'notifications ' || v_doctor);
        end if;
    elsif (new.doctor_id, new.starts_at) is distinct from (old.doctor_id, old.starts_at) then
        v_kind := 'moved';
        if new.doctor_id <> old.doctor_id then
            select user_id into v_old from clinic.doctors where id = old.doctor_id;
            perform clinic.notice(v_old, 'moved_away', new.patient_id, new.id, old.starts_at);
            v_kind := 'booked';
        end if;
    end if;
    if v_kind is null then return null; end if;
    perform clinic.notice(v_doctor, v_kind, new.patient_id, new.id, new.starts_at);
    -- The desk hears of what doctors and patients change; colleagues at the desk see it in the calendar.
    if auth.my_role() in ('doctor', 'patient') then
        for v_desk in select id from auth.users where role = 'receptionist' and active loop
            perform clinic.notice(v_desk, v_kind, new.patient_id, new.id, new.starts_at);
        end loop;
    end if;
    return null;
end $$;
create trigger notice_appointment after insert or update or delete on clinic.appointments for each row execute function clinic.notice_appointment();

create function clinic.notice_assignment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is null then return null; end if;
    if tg_op = 'INSERT' or (new.ends_on is not null and old.ends_on is null) then
        perform clinic.notice((select user_id from clinic.doctors where id = new.doctor_id),
                              case tg_op when 'INSERT' then 'assigned' else 'unassigned' end, new.patient_id, null, null);
    end if;
    return null;
end $$;
create trigger notice_assignment after insert or update on clinic.assignments for each row execute function clinic.notice_assignment();

alter table clinic.notifications enable row level security;
alter table clinic.notifications force row level security;
create policy owner on clinic.notifications to clinicdesk_owner using (true) with check (true);
grant select on clinic.notifications, clinic.notifications_id_seq to clinicdesk_backup;
grant select on clinic.notifications to clinicdesk_app;
grant update (read_at) on clinic.notifications to clinicdesk_app;
create policy own_read on clinic.notifications for select to clinicdesk_app using (user_id = (select auth.me()));
create policy own_update on clinic.notifications for update to clinicdesk_app
    using (user_id = (select auth.me())) with check (user_id = (select auth.me()));
create trigger tell after update on clinic.notifications for each row execute function clinic.tell('notifications', 'user_id');
