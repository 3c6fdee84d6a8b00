-- The log of notices. It is append-only, and contains each notice once.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- The declared stages. The owner declares more with `certvakt stage add` (certvakt.declare_stage).
create table certvakt.stages (
  -- squawk-ignore prefer-bigint-over-int
  days_before integer primary key
    constraint stages_days_range check (days_before = -1 or days_before between 1 and 3650),
  name text not null generated always as (
    case when days_before = -1 then 'expired' else 'expiry_warning_' || days_before::text || 'd' end) stored,
  declared_at timestamptz not null default now()
);
comment on table certvakt.stages is
  'The stages that a notice can have. The check constraints of the log, of deliveries and of selections enumerate them.';
comment on column certvakt.stages.days_before is 'The number of days from the due date to the last valid day; -1 for expired.';
insert into certvakt.stages (days_before) values (90), (30), (7), (-1);

alter table certvakt.stages enable row level security;
alter table certvakt.stages force row level security;
revoke all on certvakt.stages from public, anon, authenticated, service_role;
grant select on certvakt.stages to certvakt_worker, certvakt_registrar, certvakt_definer;
create policy worker_reads on certvakt.stages for select to certvakt_worker using (true);
create policy registrar_reads on certvakt.stages for select to certvakt_registrar using (true);
create policy definer_reads on certvakt.stages for select to certvakt_definer using (true);
create policy owner_declares on certvakt.stages to current_user using (true) with check (true);

create table public.cert_notification_log (
  id bigint generated always as identity primary key,
  certification_id uuid not null,
  notification_type text not null constraint cert_notification_log_notification_type_known check (
    notification_type in ('expiry_warning_90d', 'expiry_warning_30d', 'expiry_warning_7d', 'expired')),
  sent_at timestamptz not null default now() constraint cert_notification_log_sent_at_finite check (isfinite(sent_at)),
  recipient_id uuid not null,
  -- The collation C compares bytes. A regular expression in the check would cost six times as much, more than the rest of
  -- the insert.
  idempotency_key text collate "C" not null
    constraint cert_notification_log_idempotency_key_unique unique
    constraint cert_notification_log_idempotency_key_form check (
      octet_length(idempotency_key) = 64
      and ltrim(convert_to(idempotency_key, 'UTF8'), '0123456789abcdef'::bytea) = ''::bytea),
  -- One foreign key checks both. Deleting a person deletes their certifications, and these delete the notices.
  constraint cert_notification_log_of_mentor
    foreign key (recipient_id, certification_id)
    references public.peer_mentor_certifications (peer_mentor_id, id) on delete cascade
);
comment on table public.cert_notification_log is
  'Notices: each row records that a certification entered a stage. Rows are never updated. They are deleted with their certification or recipient, or by certvakt.delete_old_notices.';
comment on column public.cert_notification_log.sent_at is 'When the notice was recorded, which is before its delivery.';
comment on column public.cert_notification_log.recipient_id is 'The mentor.';
comment on column public.cert_notification_log.idempotency_key is
  'certvakt.notice_key(certification_id, notification_type, the day on which the stage came due)';

create index cert_notification_log_certification on public.cert_notification_log (certification_id, notification_type);
-- Rows are inserted in the order of sent_at, so a BRIN index finds the old ones.
create index cert_notification_log_retention on public.cert_notification_log using brin (sent_at);

create trigger refuse_update before update on public.cert_notification_log
  for each statement execute function certvakt.refuse_log_rewrite();
create trigger refuse_truncate before truncate on public.cert_notification_log
  for each statement execute function certvakt.refuse_log_rewrite();
-- The triggers fire even if session_replication_role is replica.
alter table public.cert_notification_log enable always trigger refuse_update;
alter table public.cert_notification_log enable always trigger refuse_truncate;

alter table public.cert_notification_log enable row level security;
alter table public.cert_notification_log force row level security;
revoke all on public.cert_notification_log from public, anon, authenticated, service_role;
revoke all on sequence public.cert_notification_log_id_seq from public, anon, authenticated, service_role;
grant select, insert on public.cert_notification_log to certvakt_worker, service_role;
-- A run takes the ids from the sequence itself, because it inserts the deliveries in the same statement.
grant usage on sequence public.cert_notification_log_id_seq to certvakt_worker;
create policy worker_reads on public.cert_notification_log for select to certvakt_worker using (true);
create policy worker_records on public.cert_notification_log for insert to certvakt_worker with check (true);
create policy service_reads on public.cert_notification_log for select to service_role using (true);
create policy service_records on public.cert_notification_log for insert to service_role with check (true);
-- The registrar finds the open deliveries of a person who is erased.
grant select (id, recipient_id, certification_id, sent_at) on public.cert_notification_log to certvakt_registrar;
create policy registrar_reads on public.cert_notification_log for select to certvakt_registrar using (true);
grant select on public.cert_notification_log to certvakt_definer;
create policy definer_reads on public.cert_notification_log for select to certvakt_definer using (true);

create function certvakt.notice_key(certification_id uuid, notification_type text, due_date date) returns text
language plpgsql stable strict parallel safe set search_path = '' as $$
begin
  -- to_char with a numeric pattern depends on no setting, unlike a cast of the date to text.
  return encode(sha256(convert_to(
    certification_id::text || '|' || notification_type || '|' || to_char(due_date::timestamp, 'YYYY-MM-DD'), 'UTF8')), 'hex');
end
$$;
comment on function certvakt.notice_key is
  'Returns the key of a notice: the SHA-256 digest of certification|type|YYYY-MM-DD in hex, where the date is the due date of the stage.';
revoke all on function certvakt.notice_key(uuid, text, date) from public, anon, authenticated, service_role;
grant execute on function certvakt.notice_key(uuid, text, date) to certvakt_worker, certvakt_registrar, service_role;

-- Retention. Only the owner of the log may delete, and foreign keys delete as the owner too. The function runs as the owner,
-- and row-level security enforces the same minimum age for it.
--
-- A stage is current for at most its lead time and a day, if no other is selected, or for the grace period, at most 90 days.
-- Its key must stay longer, or a run could record the notice again.
create function certvakt.days_kept() returns integer
language sql stable parallel safe set search_path = ''
begin atomic
  select greatest(max(s.days_before), 90) + 90 from certvakt.stages s;
end;
comment on function certvakt.days_kept is
  'Returns the number of days for which notices are kept at least: the longest declared lead time or the longest grace period, plus 90 days.';
revoke all on function certvakt.days_kept() from public, anon, authenticated, service_role;
grant execute on function certvakt.days_kept() to certvakt_worker, certvakt_registrar, certvakt_definer;

create policy owner_sees_old on public.cert_notification_log for select to current_user
  using (sent_at < now() - make_interval(days => (select certvakt.days_kept())));
create policy owner_deletes_old on public.cert_notification_log for delete to current_user
  using (sent_at < now() - make_interval(days => (select certvakt.days_kept())));

-- log_deleted_before then says from when on the log is complete. For earlier times, only the histories list notices.
create function certvakt.delete_old_notices(older_than interval, batch integer) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  days_kept integer := certvakt.days_kept();
  deleted bigint;
begin
  if older_than is null or now() - older_than > now() - make_interval(days => days_kept) then
    raise exception 'notices are kept for at least % days', days_kept using errcode = 'invalid_parameter_value';
  end if;
  delete from public.cert_notification_log
  where id in (
    select l.id from public.cert_notification_log l
    where l.sent_at < now() - older_than
    limit batch
  );
  get diagnostics deleted = row_count;
  if deleted > 0 then
    insert into certvakt.installation as i (log_deleted_before) values (now() - older_than)
    on conflict (only_row) do update set log_deleted_before = greatest(i.log_deleted_before, excluded.log_deleted_before);
  end if;
  return deleted;
end
$$;
comment on function certvakt.delete_old_notices is
  'Deletes up to `batch` notices that are older than `older_than` (certvakt.days_kept() days or more), with their deliveries.';
revoke all on function certvakt.delete_old_notices(interval, integer) from public, anon, authenticated, service_role;
grant execute on function certvakt.delete_old_notices(interval, integer) to certvakt_worker, service_role;
