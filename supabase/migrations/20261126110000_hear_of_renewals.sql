-- A partner's portal may tell of a completed renewal course. Each report is kept by the portal's own id of the event,
-- so that it becomes a renewal once; what contradicts ours waits for a person.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- No foreign key: what was reported outlives what it is about, and is not lost with it.
create table certvakt.partner_reports (
  organisation_id uuid not null,
  partner text not null,
  stage text not null constraint partner_reports_stage_known check (stage in ('staging', 'live')),
  event_id text not null
    constraint partner_reports_event_id_form check (length(event_id) between 1 and 200 and event_id !~ '[[:cntrl:]]'),
  partner_key text
    constraint partner_reports_partner_key_form check (length(partner_key) between 1 and 200 and partner_key !~ '[[:cntrl:]]'),
  certification_type text,
  certification_id uuid,
  completed_on date not null,
  valid_until date,
  received_at timestamptz not null default now(),
  outcome text not null
    constraint partner_reports_outcome_known check (outcome in ('renewed', 'echo', 'waiting', 'taken', 'dismissed')),
  reason text constraint partner_reports_reason_form check (reason ~ '^[a-z-]{1,40}$'),
  settled_at timestamptz,
  primary key (organisation_id, partner, stage, event_id),
  constraint partner_reports_reason_whole check (reason is not null or outcome in ('renewed', 'echo')),
  constraint partner_reports_settled_whole check ((settled_at is null) = (outcome = 'waiting'))
);
comment on table certvakt.partner_reports is
  'What portals told of completed renewal courses, each event once, and what became of it.';
comment on column certvakt.partner_reports.stage is 'At which of its stages the portal told it; only what is live renews anybody.';
comment on column certvakt.partner_reports.event_id is 'The portal''s own id of the event.';
comment on column certvakt.partner_reports.partner_key is
  'The portal''s own key of the mentor: all that is kept of them; null: they were deleted or erased.';
comment on column certvakt.partner_reports.certification_type is
  'Which type the course renews, as the contract says; null: it does not know the course.';
comment on column certvakt.partner_reports.certification_id is 'The certification that it is about, if there was exactly one.';
comment on column certvakt.partner_reports.valid_until is 'The new last valid day by the portal; null: it names none.';
comment on column certvakt.partner_reports.outcome is
  'renewed; echo: ours held it already; waiting: for a person, who has then taken or dismissed it.';
comment on column certvakt.partner_reports.reason is 'Why it was not taken at once.';
create index partner_reports_waiting on certvakt.partner_reports (organisation_id, partner, received_at) where outcome = 'waiting';
create index partner_reports_key on certvakt.partner_reports (organisation_id, partner, partner_key) where partner_key is not null;

alter table certvakt.partner_reports enable row level security;
alter table certvakt.partner_reports force row level security;
revoke all on certvakt.partner_reports from public, anon, authenticated, service_role;
grant select on certvakt.partner_reports to certvakt_worker, certvakt_registrar, certvakt_definer;
create policy worker_reads on certvakt.partner_reports for select to certvakt_worker using (true);
create policy registrar_reads on certvakt.partner_reports for select to certvakt_registrar using (true);
create policy definer_reads on certvakt.partner_reports for select to certvakt_definer using (true);
grant insert on certvakt.partner_reports to certvakt_registrar;
grant update (partner_key, certification_id, outcome, settled_at) on certvakt.partner_reports to certvakt_registrar;
create policy registrar_hears on certvakt.partner_reports for insert to certvakt_registrar with check (true);
create policy registrar_settles on certvakt.partner_reports for update to certvakt_registrar using (true) with check (true);
grant update (partner_key, outcome, reason, settled_at) on certvakt.partner_reports to certvakt_definer;
create policy definer_forgets on certvakt.partner_reports for update to certvakt_definer using (true) with check (true);

create function certvakt.forget_reports() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update certvakt.partner_reports r
  set partner_key = null,
    outcome = case r.outcome when 'waiting' then 'dismissed' else r.outcome end,
    reason = case r.outcome when 'waiting' then 'mentor-gone' else r.reason end,
    settled_at = coalesce(r.settled_at, now())
  where r.organisation_id = old.organisation_id and r.partner = old.partner and r.partner_key = old.partner_key;
  return null;
end
$$;
comment on function certvakt.forget_reports is
  'Forgets whom reports were about who was deleted or erased; nothing of theirs waits any more.';
create trigger forget_reports after update of person_id on certvakt.listings
  for each row when (old.person_id is not null and new.person_id is null) execute function certvakt.forget_reports();
revoke all on function certvakt.forget_reports() from public, anon, authenticated, service_role;
grant execute on function certvakt.forget_reports() to certvakt_definer;
alter function certvakt.forget_reports() owner to certvakt_definer;

-- Where a portal is read, what has been read.
alter table certvakt.partners
  add column reports_delta text,
  add column reports_tried_at timestamptz,
  add column reports_unread_since timestamptz,
  add column reports_unread_reason text;
comment on column certvakt.partners.reports_delta is
  'The address at which the portal says what was reported since it was last read; null: it is read whole.';
comment on column certvakt.partners.reports_tried_at is 'When its reports were last tried to be read.';
comment on column certvakt.partners.reports_unread_since is 'Since when they could not be read.';
comment on column certvakt.partners.reports_unread_reason is 'Why.';
grant update (reports_delta, reports_tried_at, reports_unread_since, reports_unread_reason) on certvakt.partners to certvakt_worker;
grant update (reports_delta) on certvakt.partners to certvakt_registrar;
