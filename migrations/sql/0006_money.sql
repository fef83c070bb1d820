-- Charges, payments, the wallet and the close of a day.
--
-- Nobody writes these tables directly: no role has INSERT, UPDATE or DELETE. Everything goes through the functions below, which lock the
-- patient's wallet row first and the year's receipt counter second, always in this order, so that two desks never wait for each other in
-- a circle, never spend the same money twice, and never number two receipts alike. Refusals carry CD010 and a constraint name.

CREATE TABLE clinic.charges (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id TEXT NOT NULL,
    appointment_id BIGINT,
    what TEXT NOT NULL,
    amount NUMERIC(12, 2) NOT NULL,
    usual NUMERIC(12, 2),
    reason TEXT DEFAULT '' NOT NULL,
    request_key TEXT,
    made_by BIGINT,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    voided_by BIGINT,
    voided_at TIMESTAMP WITH TIME ZONE,
    void_reason TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_charges PRIMARY KEY (id),
    CONSTRAINT uq_charges_request_key UNIQUE (request_key),
    CONSTRAINT ck_charges_what CHECK (char_length(what) between 2 and 200),
    CONSTRAINT ck_charges_amount CHECK (amount between 0 and 1000000),
    CONSTRAINT ck_charges_reason CHECK (usual is null or amount = usual or char_length(btrim(reason)) >= 3),
    CONSTRAINT ck_charges_void CHECK ((voided_at is not null) = (char_length(btrim(void_reason)) >= 3)),
    CONSTRAINT ck_charges_texts CHECK (char_length(reason) <= 300 and char_length(void_reason) <= 300),
    CONSTRAINT fk_charges_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_charges_appointment_id FOREIGN KEY(appointment_id) REFERENCES clinic.appointments (id),
    CONSTRAINT fk_charges_made_by FOREIGN KEY(made_by) REFERENCES auth.users (id),
    CONSTRAINT fk_charges_voided_by FOREIGN KEY(voided_by) REFERENCES auth.users (id)
);
CREATE UNIQUE INDEX uq_charges_open ON clinic.charges (appointment_id) WHERE voided_at is null;
CREATE INDEX ix_charges_patient_id ON clinic.charges (patient_id, id);
CREATE INDEX ix_charges_appointment_id ON clinic.charges (appointment_id);

CREATE TABLE clinic.receipt_counters (
    year INTEGER NOT NULL,
    last INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_receipt_counters PRIMARY KEY (year)
);

CREATE TABLE clinic.receipts (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    number TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    day DATE NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    request_key TEXT NOT NULL,
    taken_by BIGINT,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    printed INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_receipts PRIMARY KEY (id),
    CONSTRAINT uq_receipts_number UNIQUE (number),
    CONSTRAINT uq_receipts_request_key UNIQUE (request_key),
    CONSTRAINT ck_receipts_number CHECK (number ~ '^[0-9]{4}-[0-9]{6}$'),
    CONSTRAINT ck_receipts_kind CHECK (kind in ('payment', 'refund', 'top_up', 'payout')),
    CONSTRAINT ck_receipts_currency CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_receipts_reason CHECK ((kind in ('payment', 'top_up') or char_length(btrim(reason)) >= 3) and char_length(reason) <= 300),
    CONSTRAINT ck_receipts_printed CHECK (printed >= 0),
    CONSTRAINT fk_receipts_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_receipts_taken_by FOREIGN KEY(taken_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_receipts_patient_id ON clinic.receipts (patient_id, id);
CREATE INDEX ix_receipts_day ON clinic.receipts (day);

CREATE TABLE clinic.payments (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    receipt_id BIGINT NOT NULL,
    patient_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    method TEXT NOT NULL,
    amount NUMERIC(12, 2) NOT NULL,
    charge_id BIGINT,
    refunded_id BIGINT,
    owed_again BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_payments PRIMARY KEY (id),
    CONSTRAINT ck_payments_kind CHECK (kind in ('payment', 'refund', 'top_up', 'payout')),
    CONSTRAINT ck_payments_method CHECK (method in ('cash', 'card', 'wallet')),
    CONSTRAINT ck_payments_amount CHECK (amount > 0 and amount <= 1000000),
    CONSTRAINT ck_payments_charge CHECK ((charge_id is not null) = (kind in ('payment', 'refund'))),
    CONSTRAINT ck_payments_refunded CHECK ((refunded_id is not null) = (kind = 'refund') and (not owed_again or kind = 'refund')),
    CONSTRAINT ck_payments_till CHECK (kind in ('payment', 'refund') or method <> 'wallet'),
    CONSTRAINT fk_payments_receipt_id FOREIGN KEY(receipt_id) REFERENCES clinic.receipts (id),
    CONSTRAINT fk_payments_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_payments_charge_id FOREIGN KEY(charge_id) REFERENCES clinic.charges (id),
    CONSTRAINT fk_payments_refunded_id FOREIGN KEY(refunded_id) REFERENCES clinic.payments (id)
);
CREATE INDEX ix_payments_receipt_id ON clinic.payments (receipt_id);
CREATE INDEX ix_payments_charge_id ON clinic.payments (charge_id);
CREATE INDEX ix_payments_refunded_id ON clinic.payments (refunded_id);
CREATE INDEX ix_payments_patient_id ON clinic.payments (patient_id);

CREATE TABLE clinic.wallets (
    patient_id TEXT NOT NULL,
    balance NUMERIC(12, 2) DEFAULT 0 NOT NULL,
    CONSTRAINT pk_wallets PRIMARY KEY (patient_id),
    CONSTRAINT ck_wallets_balance CHECK (balance >= 0),
    CONSTRAINT fk_wallets_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id)
);

CREATE TABLE clinic.wallet_entries (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount NUMERIC(12, 2) NOT NULL,
    balance_after NUMERIC(12, 2) NOT NULL,
    payment_id BIGINT,
    reason TEXT DEFAULT '' NOT NULL,
    request_key TEXT,
    made_by BIGINT,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_wallet_entries PRIMARY KEY (id),
    CONSTRAINT uq_wallet_entries_payment_id UNIQUE (payment_id),
    CONSTRAINT uq_wallet_entries_request_key UNIQUE (request_key),
    CONSTRAINT ck_wallet_entries_kind CHECK (kind in ('top_up', 'payment', 'refund', 'payout', 'correction')),
    CONSTRAINT ck_wallet_entries_amount CHECK (amount <> 0 and (kind not in ('top_up', 'refund') or amount > 0) and (kind not in ('payment', 'payout') or amount < 0)),
    CONSTRAINT ck_wallet_entries_balance_after CHECK (balance_after >= 0),
    CONSTRAINT ck_wallet_entries_payment CHECK ((payment_id is null) = (kind = 'correction')),
    CONSTRAINT ck_wallet_entries_reason CHECK ((kind <> 'correction' or char_length(btrim(reason)) >= 3) and char_length(reason) <= 300),
    CONSTRAINT fk_wallet_entries_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_wallet_entries_payment_id FOREIGN KEY(payment_id) REFERENCES clinic.payments (id),
    CONSTRAINT fk_wallet_entries_made_by FOREIGN KEY(made_by) REFERENCES auth.users (id)
);
CREATE INDEX ix_wallet_entries_patient_id ON clinic.wallet_entries (patient_id, id);

CREATE TABLE clinic.day_closes (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    day DATE NOT NULL,
    opening NUMERIC(12, 2) DEFAULT 0 NOT NULL,
    expected_cash NUMERIC(12, 2) NOT NULL,
    expected_card NUMERIC(12, 2) NOT NULL,
    expected_wallet NUMERIC(12, 2) NOT NULL,
    counted_cash NUMERIC(12, 2) NOT NULL,
    card_total NUMERIC(12, 2) NOT NULL,
    explanation TEXT DEFAULT '' NOT NULL,
    closed_by BIGINT,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    reopened_by BIGINT,
    reopened_at TIMESTAMP WITH TIME ZONE,
    reopen_reason TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_day_closes PRIMARY KEY (id),
    CONSTRAINT ck_day_closes_opening CHECK (opening between 0 and 1000000),
    CONSTRAINT ck_day_closes_counted_cash CHECK (counted_cash between 0 and 100000000),
    CONSTRAINT ck_day_closes_difference CHECK ((counted_cash = expected_cash and card_total = expected_card) or char_length(btrim(explanation)) >= 10),
    CONSTRAINT ck_day_closes_reopened CHECK ((reopened_at is not null) = (char_length(btrim(reopen_reason)) >= 3)),
    CONSTRAINT ck_day_closes_texts CHECK (char_length(explanation) <= 500 and char_length(reopen_reason) <= 300),
    CONSTRAINT fk_day_closes_closed_by FOREIGN KEY(closed_by) REFERENCES auth.users (id),
    CONSTRAINT fk_day_closes_reopened_by FOREIGN KEY(reopened_by) REFERENCES auth.users (id)
);
CREATE UNIQUE INDEX uq_day_closes_day ON clinic.day_closes (day) WHERE reopened_at is null;

-- Who may read: the desk everything, a patient her own, a doctor nothing -----------------------------------------------------------------
do $$
declare t text;
begin
    foreach t in array array['charges', 'receipt_counters', 'receipts', 'payments', 'wallets', 'wallet_entries', 'day_closes'] loop
        execute format('alter table clinic.%I enable row level security', t);
        execute format('alter table clinic.%I force row level security', t);
        execute format('create policy owner on clinic.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on clinic.%I to clinicdesk_backup', t);
        if t <> 'receipt_counters' then
            execute format('grant select on clinic.%I to clinicdesk_app', t);
            execute format('create policy desk_read on clinic.%I for select to clinicdesk_app
                            using ((select auth.my_role()) in (''receptionist'', ''administrator''))', t);
        end if;
        if t not in ('receipt_counters', 'day_closes') then
            execute format('create policy own_read on clinic.%I for select to clinicdesk_app using (patient_id = (select auth.my_patient()))', t);
        end if;
    end loop;
    foreach t in array array['charges', 'receipts', 'wallet_entries'] loop
        execute format('create trigger tell after insert or update or delete on clinic.%I for each row execute function clinic.tell(''money'', ''patient_id'')', t);
    end loop;
    foreach t in array array['receipts', 'day_closes'] loop
        execute format('create trigger tell_till after insert or update or delete on clinic.%I for each row execute function clinic.tell(''till'', '''')', t);
    end loop;
end $$;
grant select on all sequences in schema clinic to clinicdesk_backup;

-- Rows that stay as they were written, for the owner too: a charge can be voided once, a close reopened once, a receipt counted as printed.
create function clinic.keep_money() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_may text[] := case tg_table_name when 'charges' then array['voided_by', 'voided_at', 'void_reason']
                                       when 'day_closes' then array['reopened_by', 'reopened_at', 'reopen_reason']
                                       when 'receipts' then array['printed'] else array[]::text[] end;
begin
    if tg_op = 'DELETE' or to_jsonb(new) - v_may is distinct from to_jsonb(old) - v_may
       or (tg_table_name = 'charges' and to_jsonb(old) ->> 'voided_at' is not null)
       or (tg_table_name = 'day_closes' and to_jsonb(old) ->> 'reopened_at' is not null) then
        raise exception using errcode = 'CD010', constraint = 'money_kept', message = 'refused';
    end if;
    return new;
end $$;
create trigger keep_money before update or delete on clinic.charges for each row execute function clinic.keep_money();
create trigger keep_money before update or delete on clinic.receipts for each row execute function clinic.keep_money();
create trigger keep_money before update or delete on clinic.payments for each row execute function clinic.keep_money();
create trigger keep_money before update or delete on clinic.wallet_entries for each row execute function clinic.keep_money();
create trigger keep_money before update or delete on clinic.day_closes for each row execute function clinic.keep_money();

-- The wallet: the row of the patient is locked, so entries come one after the other; the balance is theirs and never below zero -------------
create function clinic.enter_wallet() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare v_balance numeric;
begin
    insert into clinic.wallets (patient_id) values (new.patient_id) on conflict do nothing;
    select balance into v_balance from clinic.wallets where patient_id = new.patient_id for update;
    new.balance_after := v_balance + new.amount;
    if new.balance_after < 0 then
        raise exception using errcode = 'CD010', constraint = 'wallet_below_zero', message = 'refused';
    end if;
    update clinic.wallets set balance = new.balance_after where patient_id = new.patient_id;
    return new;
end $$;
create trigger enter_wallet before insert on clinic.wallet_entries for each row execute function clinic.enter_wallet();

create function clinic.at_the_desk() returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if coalesce(auth.my_role(), '') not in ('receptionist', 'administrator') then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    return auth.me();
end $$;

-- Charges ------------------------------------------------------------------------------------------------------------------------------------
-- A visit is charged with the doctor's fee once: when reception takes money for it or, at the latest, when the doctor completes it. A charge
-- that somebody voided is not made again by itself; one that fell away because the arrival was taken back is, at the price it had.
create function clinic.charge_for_visit(p_appointment bigint, p_by bigint) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_id bigint;
    v_last clinic.charges;
    v record;
begin
    select a.patient_id, a.status, a.starts_at, d.fee, u.name into v
      from clinic.appointments a join clinic.doctors d on d.id = a.doctor_id join auth.users u on u.id = d.user_id
     where a.id = p_appointment for share of a;  -- whoever takes the arrival back at this moment is waited for
    if v.patient_id is null or v.status not in ('arrived', 'in_progress', 'completed') then
        raise exception using errcode = 'CD010', constraint = 'charge_no_visit', message = 'refused';
    end if;
    select * into v_last from clinic.charges where appointment_id = p_appointment order by id desc limit 1;
    if v_last.id is null or (v_last.voided_at is not null and v_last.voided_by is null) then
        -- A price that somebody agreed on, with a reason, is kept; the usual one is that of the doctor who has the visit now.
        insert into clinic.charges (patient_id, appointment_id, what, amount, usual, reason, made_by)
        select v.patient_id, p_appointment, left('Consultation, ' || v.name || ', '
               || to_char(v.starts_at at time zone clinic.zone(), 'DD-Mon-YYYY'), 200),
               case when v_last.reason <> '' then v_last.amount else v.fee end, v.fee, coalesce(v_last.reason, ''), p_by
         where v.fee > 0
        on conflict do nothing returning id into v_id;
    end if;
    if v_id is null then
        select id into v_id from clinic.charges where appointment_id = p_appointment and voided_at is null;
    end if;
    return v_id;
end $$;

create function clinic.charge_visit(p_appointment bigint) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    return clinic.charge_for_visit(p_appointment, clinic.at_the_desk());
end $$;

create function clinic.follow_visit_charge() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if new.status = 'completed' then
        perform clinic.charge_for_visit(new.id, auth.me());
    elsif new.status in ('cancelled', 'no_show', 'scheduled', 'confirmed')
          and exists (select 1 from clinic.charges c where c.appointment_id = new.id and c.voided_at is null) then
        -- Whoever is being paid for it right now holds this row: the charge falls away before the payment or stays.
        insert into clinic.wallets (patient_id) values (new.patient_id) on conflict do nothing;
        perform 1 from clinic.wallets where patient_id = new.patient_id for update;
        update clinic.charges c set voided_at = now(), void_reason = 'The appointment did not take place.'
         where c.appointment_id = new.id and c.voided_at is null and not exists (select 1 from clinic.payments p where p.charge_id = c.id);
    end if;
    return null;
end $$;
create trigger follow_visit_charge after update of status on clinic.appointments for each row
    when (new.status is distinct from old.status) execute function clinic.follow_visit_charge();

create function clinic.add_charge(p_patient text, p_what text, p_amount numeric, p_key text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_me bigint := clinic.at_the_desk();
    v_id bigint;
begin
    insert into clinic.charges (patient_id, what, amount, request_key, made_by) values (p_patient, p_what, p_amount, p_key, v_me)
    on conflict (request_key) do nothing returning id into v_id;
    if v_id is null then
        select id into v_id from clinic.charges where request_key = p_key and patient_id = p_patient and amount = p_amount;
    end if;
    if v_id is null then
        raise exception using errcode = 'CD010', constraint = 'request_key_used', message = 'refused';
    end if;
    return v_id;
end $$;

-- Takes a charge away that nothing (net) was paid for. Payments lock the same wallet row, so none slips in between.
create function clinic.void_charge(p_charge bigint, p_reason text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_me bigint := clinic.at_the_desk();
    v clinic.charges;
begin
    select * into v from clinic.charges where id = p_charge;
    insert into clinic.wallets (patient_id) select v.patient_id where v.id is not null on conflict do nothing;
    perform 1 from clinic.wallets where patient_id = v.patient_id for update;
    select * into v from clinic.charges where id = p_charge for update;
    if v.id is null or v.voided_at is not null then
        raise exception using errcode = 'CD010', constraint = 'charge_gone', message = 'refused';
    end if;
    if (select coalesce(sum(case kind when 'payment' then amount else -amount end), 0) from clinic.payments where charge_id = p_charge) <> 0 then
        raise exception using errcode = 'CD010', constraint = 'charge_paid', message = 'refused';
    end if;
    update clinic.charges set voided_at = now(), voided_by = v_me, void_reason = p_reason where id = p_charge;
end $$;

create function clinic.change_charge(p_charge bigint, p_amount numeric, p_reason text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v clinic.charges;
    v_id bigint;
begin
    perform clinic.void_charge(p_charge, p_reason);
    select * into v from clinic.charges where id = p_charge;
    insert into clinic.charges (patient_id, appointment_id, what, amount, usual, reason, made_by)
    values (v.patient_id, v.appointment_id, v.what, p_amount, coalesce(v.usual, v.amount), p_reason, auth.me()) returning id into v_id;
    return v_id;
end $$;

-- Money ----------------------------------------------------------------------------------------------------------------------------------------
-- One receipt with its lines: {charge | payment, method, amount, owed_again}. The same key again gives the same receipt. For the owner's own
-- tools (demo) a moment and a person; a workstation comes in through take_money alone.
create function clinic.book_money(p_kind text, p_patient text, p_key text, p_lines jsonb, p_reason text, p_by bigint, p_at timestamptz)
returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_day date := (p_at at time zone clinic.zone())::date;
    v_year int := extract(year from p_at at time zone clinic.zone());
    v_known clinic.receipts;
    v_receipt bigint;
    v_payment bigint;
    v_serial int;
    v_left numeric;
    v_charge bigint;
    v_line record;
begin
    -- A person may have several records (merged): all her wallets are locked, always in one order, so that no charge is paid twice at once.
    insert into clinic.wallets (patient_id) select x from unnest(clinic.person_ids(p_patient)) x order by x on conflict do nothing;
    perform 1 from clinic.wallets where patient_id = any(clinic.person_ids(p_patient)) order by patient_id for update;
    select * into v_known from clinic.receipts where request_key = p_key;
    if v_known.id is not null then
        if (v_known.patient_id, v_known.kind) is distinct from (p_patient, p_kind)
           or (select sum(amount) from clinic.payments where receipt_id = v_known.id)
              is distinct from (select sum(x.amount) from jsonb_to_recordset(p_lines) as x(amount numeric)) then
            raise exception using errcode = 'CD010', constraint = 'request_key_used', message = 'refused';
        end if;
        return v_known.id;
    end if;
    if jsonb_array_length(p_lines) = 0 then
        raise exception using errcode = 'CD010', constraint = 'payment_nothing', message = 'refused';
    end if;
    insert into clinic.receipt_counters (year) values (v_year) on conflict do nothing;
    update clinic.receipt_counters set last = last + 1 where year = v_year returning last into v_serial;
    if exists (select 1 from clinic.day_closes where day = v_day and reopened_at is null) then
        raise exception using errcode = 'CD010', constraint = 'day_closed', message = 'refused';
    end if;
    insert into clinic.receipts (number, patient_id, kind, day, currency, reason, request_key, taken_by, taken_at)
    values (v_year || '-' || lpad(v_serial::text, 6, '0'), p_patient, p_kind, v_day,
            coalesce((select value #>> '{}' from clinic.settings where key = 'currency'), 'EUR'), p_reason, p_key, p_by, p_at)
    returning id into v_receipt;
    for v_line in select * from jsonb_to_recordset(p_lines)
                      as x(charge bigint, payment bigint, method text, amount numeric, owed_again boolean) loop
        if v_line.amount is distinct from round(v_line.amount, 2) then
            raise exception using errcode = 'CD010', constraint = 'payment_cents', message = 'refused';
        end if;
        v_charge := null;
        if p_kind = 'payment' then
            select c.id, c.amount - coalesce((select sum(case when p.kind = 'payment' then p.amount when p.owed_again then -p.amount else 0 end)
                                                from clinic.payments p where p.charge_id = c.id), 0)
              into v_charge, v_left from clinic.charges c where c.id = v_line.charge and c.patient_id = any(clinic.person_ids(p_patient)) and c.voided_at is null;
            if v_charge is null then
                raise exception using errcode = 'CD010', constraint = 'charge_gone', message = 'refused';
            end if;
            if v_line.amount > v_left then
                raise exception using errcode = 'CD010', constraint = 'payment_too_much', message = 'refused';
            end if;
        elsif p_kind = 'refund' then
            select p.charge_id, p.amount - coalesce((select sum(r.amount) from clinic.payments r where r.refunded_id = p.id), 0)
              into v_charge, v_left from clinic.payments p where p.id = v_line.payment and p.patient_id = any(clinic.person_ids(p_patient)) and p.kind = 'payment';
            if v_charge is null or v_line.amount > v_left then
                raise exception using errcode = 'CD010', constraint = 'refund_too_much', message = 'refused';
            end if;
        end if;
        insert into clinic.payments (receipt_id, patient_id, kind, method, amount, charge_id, refunded_id, owed_again)
        values (v_receipt, p_patient, p_kind, v_line.method, v_line.amount, v_charge,
                case when p_kind = 'refund' then v_line.payment end, p_kind = 'refund' and coalesce(v_line.owed_again, false))
        returning id into v_payment;
        if v_line.method = 'wallet' or p_kind in ('top_up', 'payout') then
            insert into clinic.wallet_entries (patient_id, kind, amount, balance_after, payment_id, reason, made_by, made_at)
            values (p_patient, p_kind, case when p_kind in ('payment', 'payout') then -v_line.amount else v_line.amount end, 0,
                    v_payment, p_reason, p_by, p_at);
        end if;
    end loop;
    return v_receipt;
end $$;

create function clinic.take_money(p_kind text, p_patient text, p_key text, p_lines jsonb, p_reason text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    return clinic.book_money(p_kind, p_patient, p_key, p_lines, p_reason, clinic.at_the_desk(), now());
end $$;

-- A mistake in a wallet that no payment explains: administrators only, with a reason, and no till money.
create function clinic.correct_wallet(p_patient text, p_amount numeric, p_reason text, p_key text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_id bigint;
    v_known clinic.wallet_entries;
begin
    if auth.my_role() is distinct from 'administrator' then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    -- Before the entry gets its id, so that ids follow each other as the balances do.
    insert into clinic.wallets (patient_id) values (p_patient) on conflict do nothing;
    perform 1 from clinic.wallets where patient_id = p_patient for update;
    select * into v_known from clinic.wallet_entries where request_key = p_key;
    if v_known.id is not null and (v_known.patient_id, v_known.amount) is distinct from (p_patient, p_amount) then
        raise exception using errcode = 'CD010', constraint = 'request_key_used', message = 'refused';
    end if;
    v_id := v_known.id;
    if v_id is null then
        insert into clinic.wallet_entries (patient_id, kind, amount, balance_after, reason, request_key, made_by)
        values (p_patient, 'correction', p_amount, 0, p_reason, p_key, auth.me()) returning id into v_id;
    end if;
    return v_id;
end $$;

create function clinic.receipt_printed(p_receipt bigint) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare v_count integer;
begin
    perform clinic.at_the_desk();
    update clinic.receipts set printed = printed + 1 where id = p_receipt returning printed into v_count;
    return v_count;
end $$;

-- The day ------------------------------------------------------------------------------------------------------------------------------------------
-- What came in and went out by each method on a day. Row security decides for whoever asks.
create function clinic.day_money(p_day date) returns table (method text, came numeric, went numeric, receipts bigint)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select m.method, coalesce(sum(p.amount) filter (where p.kind in ('payment', 'top_up')), 0),
           coalesce(sum(p.amount) filter (where p.kind in ('refund', 'payout')), 0), count(distinct r.id)
      from (values ('cash'), ('card'), ('wallet')) as m(method)
      left join (clinic.payments p join clinic.receipts r on r.id = p.receipt_id and r.day = p_day) on p.method = m.method
     group by m.method
$$;

create function clinic.book_close(p_day date, p_opening numeric, p_counted numeric, p_card numeric, p_explanation text, p_by bigint,
                                  p_at timestamptz) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_id bigint;
    v_year int := extract(year from p_day);
begin
    if p_day > (p_at at time zone clinic.zone())::date then
        raise exception using errcode = 'CD010', constraint = 'day_not_over', message = 'refused';
    end if;
    -- Whoever takes money holds this row until her receipt is written: the sums below are complete and nothing is added to them later.
    insert into clinic.receipt_counters (year) values (v_year) on conflict do nothing;
    perform 1 from clinic.receipt_counters where year = v_year for update;
    insert into clinic.day_closes (day, opening, expected_cash, expected_card, expected_wallet, counted_cash, card_total, explanation,
                                   closed_by, closed_at)
    select p_day, p_opening, p_opening + sum(came - went) filter (where method = 'cash'), sum(came - went) filter (where method = 'card'),
           sum(came - went) filter (where method = 'wallet'), p_counted, p_card, p_explanation, p_by, p_at
      from clinic.day_money(p_day) returning id into v_id;
    return v_id;
end $$;

create function clinic.close_day(p_day date, p_opening numeric, p_counted numeric, p_card numeric, p_explanation text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    return clinic.book_close(p_day, p_opening, p_counted, p_card, p_explanation, clinic.at_the_desk(), now());
end $$;

create function clinic.reopen_day(p_close bigint, p_reason text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    update clinic.day_closes set reopened_at = now(), reopened_by = auth.me(), reopen_reason = p_reason
     where id = p_close and reopened_at is null;
    if not found then
        raise exception using errcode = 'CD010', constraint = 'close_gone', message = 'refused';
    end if;
end $$;

grant execute on function clinic.charge_visit(bigint), clinic.add_charge(text, text, numeric, text), clinic.void_charge(bigint, text),
    clinic.change_charge(bigint, numeric, text), clinic.take_money(text, text, text, jsonb, text),
    clinic.correct_wallet(text, numeric, text, text), clinic.receipt_printed(bigint), clinic.day_money(date),
    clinic.close_day(date, numeric, numeric, numeric, text), clinic.reopen_day(bigint, text) to clinicdesk_app;

-- The session log: therapy sessions of a patient, one line each, the note sealed. Written by doctors in care, never changed; `key` makes a
-- repeated click harmless and is the place the note is sealed for.
CREATE TABLE clinic.session_log (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    key TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    therapist_id BIGINT NOT NULL,
    note BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_session_log PRIMARY KEY (id),
    CONSTRAINT uq_session_log_key UNIQUE (key),
    CONSTRAINT ck_session_log_kind CHECK (kind in ('physiotherapy', 'occupational', 'speech', 'psychotherapy', 'counselling', 'other')),
    CONSTRAINT ck_session_log_title CHECK (char_length(title) between 1 and 200),
    CONSTRAINT ck_session_log_minutes CHECK (minutes between 1 and 600),
    CONSTRAINT ck_session_log_note CHECK (octet_length(note) <= 40029),
    CONSTRAINT fk_session_log_patient_id FOREIGN KEY(patient_id) REFERENCES clinic.patients (id),
    CONSTRAINT fk_session_log_therapist_id FOREIGN KEY(therapist_id) REFERENCES auth.users (id)
);
CREATE INDEX ix_session_log_patient_id ON clinic.session_log (patient_id, happened_at);
alter table clinic.session_log enable row level security;
alter table clinic.session_log force row level security;
create policy owner on clinic.session_log to clinicdesk_owner using (true) with check (true);
grant select on clinic.session_log to clinicdesk_backup;
grant select on all sequences in schema clinic to clinicdesk_backup;
grant select, insert on clinic.session_log to clinicdesk_app;
create policy own_read on clinic.session_log for select to clinicdesk_app using (patient_id = (select auth.my_patient()));
create policy care_read on clinic.session_log for select to clinicdesk_app
    using (exists (select 1 from clinic.care c where c.patient_id = session_log.patient_id and c.doctor_id = (select auth.my_doctor())
                                                 and (c.until is null or c.until >= current_date)));
create policy doctor_insert on clinic.session_log for insert to clinicdesk_app with check (therapist_id = (select auth.me())
    and exists (select 1 from clinic.care c where c.patient_id = session_log.patient_id and c.doctor_id = (select auth.my_doctor())
                                              and (c.until is null or c.until >= current_date)));
create trigger tell after insert on clinic.session_log for each row execute function clinic.tell('chart', 'patient_id');
