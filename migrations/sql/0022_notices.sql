-- Keeping a month of notices locked the ten oldest of a person, old or not: two desks that changed appointments of one doctor could wait for
-- each other in a circle. Only what is old enough to go is held now.
create or replace function clinic.notice(p_user bigint, p_kind text, p_patient text, p_appointment bigint, p_starts timestamptz) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if p_user is null or p_user = auth.me() then return; end if;
    delete from clinic.notifications where appointment_id = p_appointment and user_id = p_user and read_at is null;
    -- A month is kept; the oldest few go as new ones come, and are left to whoever is holding them.
    delete from clinic.notifications where id in (
        select n.id from clinic.notifications n
         where n.id in (select o.id from clinic.notifications o where o.user_id = p_user order by o.id limit 10)
           and n.at < now() - interval '30 days'
           for update of n skip locked);
    insert into clinic.notifications (user_id, kind, patient_id, appointment_id, starts_at, by_user)
    values (p_user, p_kind, p_patient, p_appointment, p_starts, auth.me());
    perform pg_notify('clinicdesk', 'notifications ' || p_user);
end $$;
