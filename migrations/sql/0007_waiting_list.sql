-- The waiting list: who would like to come (earlier), the offers made to them, and the numbers in the waiting room.

create table clinic.waiting_list (
    id bigint generated always as identity,
    patient_id text not null,
    doctor_id bigint,
    specialization text default '' not null,
    minutes integer default 20 not null,
    weekdays integer default 127 not null,
    from_minute integer default 0 not null,
    to_minute integer default 1440 not null,
    first_day date,
    last_day date,
    notice_minutes integer default 0 not null,
    urgency integer default 1 not null,
    note text default '' not null,
    gives_up bigint,
    status text default 'waiting' not null,
    booked_id bigint,
    made_by bigint,
    created_at timestamp with time zone default now() not null,
    version integer default 1 not null,
    constraint pk_waiting_list primary key (id),
    constraint fk_waiting_list_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_waiting_list_doctor_id foreign key (doctor_id) references clinic.doctors (id),
    constraint fk_waiting_list_made_by foreign key (made_by) references auth.users (id),
    constraint ck_waiting_list_minutes check (minutes between 5 and 480),
    constraint ck_waiting_list_weekdays check (weekdays between 1 and 127),
    constraint ck_waiting_list_hours check (from_minute >= 0 and to_minute <= 1440 and from_minute < to_minute),
    constraint ck_waiting_list_days check (first_day <= last_day),
    constraint ck_waiting_list_notice_minutes check (notice_minutes between 0 and 20160),
    constraint ck_waiting_list_urgency check (urgency between 1 and 3),
    constraint ck_waiting_list_note check (char_length(note) <= 200),
    constraint ck_waiting_list_status check (status in ('waiting', 'booked', 'withdrawn'))
);
create index ix_waiting_list_status on clinic.waiting_list (status);
create index ix_waiting_list_patient_id on clinic.waiting_list (patient_id);
create index ix_waiting_list_booked_id on clinic.waiting_list (booked_id);
-- Places that became free are found by when that was, without reading the whole history.
create index ix_appointment_events_freed on clinic.appointment_events (at) where what in ('cancelled', 'no_show', 'moved', 'taken back');

create table clinic.offers (
    id bigint generated always as identity,
    wish_id bigint not null,
    patient_id text not null,
    doctor_id bigint not null,
    starts_at timestamp with time zone not null,
    ends_at timestamp with time zone not null,
    during tstzrange generated always as (tstzrange(starts_at, ends_at, '[)')) stored not null,
    status text default 'held' not null,
    offered_by bigint,
    offered_at timestamp with time zone default now() not null,
    expires_at timestamp with time zone not null,
    settled_at timestamp with time zone,
    constraint pk_offers primary key (id),
    constraint fk_offers_wish_id foreign key (wish_id) references clinic.waiting_list (id),
    constraint fk_offers_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_offers_doctor_id foreign key (doctor_id) references clinic.doctors (id),
    constraint fk_offers_offered_by foreign key (offered_by) references auth.users (id),
    constraint ck_offers_times check (starts_at < ends_at),
    constraint ck_offers_expires_at check (expires_at > offered_at and expires_at <= offered_at + interval '3 days'),
    constraint ck_offers_status check (status in ('held', 'accepted', 'refused', 'expired', 'withdrawn')),
    constraint ex_offers_place exclude using gist (int8range(doctor_id, doctor_id, '[]') with &&, during with &&) where (status = 'held')
);
-- Nobody is offered two places at once, no place is offered to two.
create unique index uq_offers_patient on clinic.offers (patient_id) where status = 'held';
create index ix_offers_wish_id on clinic.offers (wish_id);
create index ix_offers_doctor_id_starts_at on clinic.offers (doctor_id, starts_at);

create table clinic.tickets (
    appointment_id bigint not null,
    patient_id text not null,
    doctor_id bigint not null,
    day date not null,
    number integer not null,
    room text default '' not null,
    called_at timestamp with time zone,
    called_by bigint,
    constraint pk_tickets primary key (appointment_id),
    constraint fk_tickets_appointment_id foreign key (appointment_id) references clinic.appointments (id) on delete cascade,
    constraint fk_tickets_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_tickets_doctor_id foreign key (doctor_id) references clinic.doctors (id),
    constraint fk_tickets_called_by foreign key (called_by) references auth.users (id),
    constraint uq_tickets_day_number unique (day, number),
    constraint ck_tickets_number check (number > 0),
    constraint ck_tickets_room check (char_length(room) <= 40)
);
create index ix_tickets_patient_id on clinic.tickets (patient_id);

-- One doctor's places are given out one after the other: a booking and an offer of the same minute cannot pass each other.
create function clinic.one_at_a_time(p_doctor bigint) returns void
language sql volatile set search_path = pg_catalog, pg_temp as $$ select pg_advisory_xact_lock(7041, (p_doctor % 2147483647)::int) $$;

create function clinic.expire_offers() returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare v_count bigint;
begin
    -- Whoever is settling one at this moment is not waited for: it is over in either case.
    update clinic.offers set status = 'expired', settled_at = now() where id in (
        select o.id from clinic.offers o where o.status = 'held' and o.expires_at <= now() for update skip locked);
    get diagnostics v_count = row_count;
    return v_count;
end $$;

create function clinic.guard_offer() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare v_wish clinic.waiting_list;
begin
    if tg_op = 'INSERT' then
        perform clinic.one_at_a_time(new.doctor_id);
        perform clinic.expire_offers();
        select * into v_wish from clinic.waiting_list where id = new.wish_id for update;
        if v_wish.status <> 'waiting' or v_wish.patient_id <> new.patient_id then
            raise exception using errcode = 'CD010', constraint = 'offer_wish', message = 'refused';
        end if;
        if new.starts_at <= now() then
            raise exception using errcode = 'CD010', constraint = 'appointment_past', message = 'refused';
        end if;
        if exists (select 1 from clinic.appointments a where a.doctor_id = new.doctor_id and a.lane = 0 and a.starts_at < new.ends_at
                    and a.starts_at > new.starts_at - interval '12 hours' and a.ends_at > new.starts_at
                    and a.status not in ('cancelled', 'no_show')) then
            raise exception using errcode = 'CD010', constraint = 'offer_taken', message = 'refused';
        end if;
        new.status := 'held';
        new.offered_at := now();
        return new;
    end if;
    if old.status <> 'held' or (new.status = 'accepted' and old.expires_at <= now()) then
        raise exception using errcode = 'CD010', constraint = 'offer_over', message = 'refused';
    end if;
    if new.status = 'accepted' and not exists (select 1 from clinic.waiting_list w where w.id = new.wish_id and w.status = 'waiting') then
        raise exception using errcode = 'CD010', constraint = 'offer_wish', message = 'refused';
    end if;
    new.settled_at := now();
    return new;
end $$;
create trigger guard_offer before insert or update on clinic.offers for each row execute function clinic.guard_offer();

-- A place that is held for somebody cannot be booked for somebody else, except on top of it with a reason.
create function clinic.guard_held() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is null or new.status in ('cancelled', 'no_show') then return new; end if;
    if tg_op = 'UPDATE' and (new.doctor_id, new.starts_at, new.ends_at, new.lane) is not distinct from (old.doctor_id, old.starts_at, old.ends_at, old.lane)
       and old.status not in ('cancelled', 'no_show') then return new; end if;
    perform clinic.one_at_a_time(new.doctor_id);
    if new.lane = 0 and exists (select 1 from clinic.offers o where o.doctor_id = new.doctor_id and o.status = 'held' and o.expires_at > now()
                and o.during && tstzrange(new.starts_at, new.ends_at, '[)') and o.patient_id <> new.patient_id) then
        raise exception using errcode = 'CD010', constraint = 'offer_held', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_held before insert or update on clinic.appointments for each row execute function clinic.guard_held();

-- A held place is as busy as a booked one for everybody who looks for a free place.
create or replace function clinic.busy(p_from timestamptz, p_to timestamptz)
returns table (doctor_id bigint, starts_at timestamptz, ends_at timestamptz, lane int)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is null then return; end if;
    return query select a.doctor_id, a.starts_at, a.ends_at, a.lane from clinic.appointments a
                  where a.starts_at < p_to and a.starts_at > p_from - interval '12 hours' and a.ends_at > p_from
                    and a.status not in ('cancelled', 'no_show')
                 union all
                 select o.doctor_id, o.starts_at, o.ends_at, 0 from clinic.offers o
                  where o.status = 'held' and o.expires_at > now() and o.starts_at < p_to and o.ends_at > p_from;
end $$;

-- Numbers of the waiting room: one for each arrival of a day, in order; gone when the arrival is taken back. A wish whose booking is
-- taken back waits again.
create function clinic.follow_arrival() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_day date;
begin
    if tg_op = 'DELETE' then
        update clinic.waiting_list set status = 'waiting', booked_id = null, version = version + 1 where booked_id = old.id;
        return null;
    end if;
    if new.status = 'arrived' and old.status <> 'arrived' then
        v_day := (now() at time zone clinic.zone())::date;
        perform pg_advisory_xact_lock(7042, v_day - date '2000-01-01');
        insert into clinic.tickets (appointment_id, patient_id, doctor_id, day, number)
        select new.id, new.patient_id, new.doctor_id, v_day, coalesce(max(t.number), 0) + 1 from clinic.tickets t where t.day = v_day
        on conflict (appointment_id) do nothing;
        perform pg_notify('clinicdesk', 'calls');
    elsif old.status = 'arrived' and new.status in ('scheduled', 'confirmed', 'cancelled', 'no_show') then
        delete from clinic.tickets where appointment_id = new.id;
        perform pg_notify('clinicdesk', 'calls');
    elsif new.doctor_id <> old.doctor_id or new.status is distinct from old.status then
        update clinic.tickets set doctor_id = new.doctor_id where appointment_id = new.id;
        perform pg_notify('clinicdesk', 'calls');
    end if;
    return null;
end $$;
create trigger follow_arrival after update or delete on clinic.appointments for each row execute function clinic.follow_arrival();

create function clinic.call_in(p_appointment bigint, p_room text) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare v_number integer;
begin
    if auth.me() is null or not exists (
        select 1 from clinic.appointments a where a.id = p_appointment
           and (auth.my_role() in ('receptionist', 'administrator') or a.doctor_id = auth.my_doctor())) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    if not exists (select 1 from clinic.appointments a where a.id = p_appointment and a.status = 'arrived') then
        raise exception using errcode = 'CD010', constraint = 'call_arrived', message = 'refused';
    end if;
    update clinic.tickets set room = p_room, called_at = now(), called_by = auth.me() where appointment_id = p_appointment returning number into v_number;
    perform pg_notify('clinicdesk', 'calls');
    return v_number;
end $$;

create trigger check_version before update on clinic.waiting_list for each row execute function clinic.check_version();
create trigger tell after insert or update or delete on clinic.waiting_list for each row execute function clinic.tell('waiting_list', '');
create trigger tell after insert or update or delete on clinic.offers for each row execute function clinic.tell('waiting_list', '');

-- Walls -------------------------------------------------------------------------------------------------------------------------------------
do $$
declare t text;
begin
    foreach t in array array['waiting_list', 'offers', 'tickets'] loop
        execute format('alter table clinic.%I enable row level security', t);
        execute format('alter table clinic.%I force row level security', t);
        execute format('create policy owner on clinic.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on clinic.%I to clinicdesk_backup', t);
    end loop;
    foreach t in array array['waiting_list', 'offers'] loop
        execute format('grant select on clinic.%I to clinicdesk_backup', t || '_id_seq');
        execute format('create policy read on clinic.%I for select to clinicdesk_app
            using ((select auth.my_role()) in (''receptionist'', ''administrator'') or doctor_id = (select auth.my_doctor())
                   or patient_id = (select auth.my_patient()))', t);
    end loop;
end $$;
-- Who has waited how long and when a place was offered is the clock's to say.
grant select, insert (patient_id, doctor_id, specialization, minutes, weekdays, from_minute, to_minute, first_day, last_day, notice_minutes,
                      urgency, note, gives_up, made_by) on clinic.waiting_list to clinicdesk_app;
grant update (doctor_id, specialization, minutes, weekdays, from_minute, to_minute, first_day, last_day, notice_minutes, urgency, note, gives_up,
              status, booked_id, version) on clinic.waiting_list to clinicdesk_app;
create policy staff_insert on clinic.waiting_list for insert to clinicdesk_app
    with check (made_by = (select auth.me())
                and ((select auth.my_role()) in ('receptionist', 'administrator') or doctor_id = (select auth.my_doctor())));
create policy desk_update on clinic.waiting_list for update to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator')) with check ((select auth.my_role()) in ('receptionist', 'administrator'));

grant select, insert (wish_id, patient_id, doctor_id, starts_at, ends_at, status, offered_by, expires_at) on clinic.offers to clinicdesk_app;
grant update (status) on clinic.offers to clinicdesk_app;
create policy desk_insert on clinic.offers for insert to clinicdesk_app
    with check ((select auth.my_role()) in ('receptionist', 'administrator') and offered_by = (select auth.me()));
create policy desk_update on clinic.offers for update to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator')) with check ((select auth.my_role()) in ('receptionist', 'administrator'));

-- The call screen shows numbers and rooms, never names: the staff may see every ticket of the day, a patient her own.
grant select on clinic.tickets to clinicdesk_app;
create policy read on clinic.tickets for select to clinicdesk_app
    using ((select auth.is_staff()) or patient_id = (select auth.my_patient()));

grant execute on function clinic.expire_offers() to clinicdesk_worker;
grant execute on function clinic.call_in(bigint, text), clinic.one_at_a_time(bigint) to clinicdesk_app;
