-- The certifications of the source document, and the changes to them that open a cycle or bring a
-- certification back before the next run.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table public.peer_mentor_certifications (
  id uuid primary key default certvakt.uuid_v7(),
  organisation_id uuid not null,
  chapter_id uuid not null,
  peer_mentor_id uuid not null references certvakt.people (id) on delete cascade,
  certification_type text not null,
  external_id text constraint peer_mentor_certifications_external_id_form check (length(external_id) between 1 and 200),
  issued_at timestamptz,
  expires_at timestamptz constraint peer_mentor_certifications_expires_at_range
    check (expires_at >= '1900-01-01' and expires_at < '9999-01-01'),
  status text not null default 'active' constraint peer_mentor_certifications_status_known
    check (status in ('active', 'expired', 'suspended')),
  renewal_history jsonb not null default '[]'
    constraint peer_mentor_certifications_renewal_history_form check (jsonb_typeof(renewal_history) = 'array'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint peer_mentor_certifications_inside_organisation unique (organisation_id, id),
  -- What a notice refers to: its recipient is the mentor. Finds a person's certifications, too.
  constraint peer_mentor_certifications_of_mentor unique (peer_mentor_id, id),
  constraint peer_mentor_certifications_in_register unique (organisation_id, external_id, certification_type),
  constraint peer_mentor_certifications_chapter_inside_organisation
    foreign key (organisation_id, chapter_id) references certvakt.chapters (organisation_id, id),
  constraint peer_mentor_certifications_type_inside_organisation
    foreign key (organisation_id, certification_type) references certvakt.certification_types (organisation_id, code)
)
-- Room on each page for the row that becomes `expired`: no index knows the status, so none is written then.
with (fillfactor = 90);
comment on column public.peer_mentor_certifications.expires_at is
  'The last valid day is its date in the organisation''s time zone; null: does not expire.';
comment on column public.peer_mentor_certifications.external_id is
  'The id in the register that the certification came from; with the organisation, that of the mentor too.';

-- A chapter's certifications, page by page, the next to expire first and those that never do last. It holds
-- what policies ask about as well, so that a page is found in the index alone. And it says CASE, because
-- PostgreSQL does not take COALESCE for leakproof: a condition of that kind waits until the policies have
-- looked at each row, and no index begins in the middle for it.
create index peer_mentor_certifications_chapter on public.peer_mentor_certifications
  (chapter_id, (case when expires_at is null then 'infinity'::timestamptz else expires_at end), id)
  include (expires_at, organisation_id, peer_mentor_id);
create index peer_mentor_certifications_type on public.peer_mentor_certifications (organisation_id, certification_type);
-- What a run reads: a few ranges of one organisation's dates.
create index peer_mentor_certifications_due on public.peer_mentor_certifications (organisation_id, expires_at);

create table certvakt.certification_changes (
  id bigint generated always as identity primary key,
  organisation_id uuid not null,
  certification_id uuid not null,
  kind text not null constraint certification_changes_kind_known
    check (kind in ('recorded', 'renewed', 'corrected', 'suspended', 'reinstated')),
  expires_before timestamptz,
  expires_after timestamptz,
  changed_at timestamptz not null default clock_timestamp(),
  changed_in xid8 not null default pg_current_xact_id(),
  constraint certification_changes_inside_organisation
    foreign key (organisation_id, certification_id)
    references public.peer_mentor_certifications (organisation_id, id) on delete cascade
);
comment on column certvakt.certification_changes.kind is
  'recorded and renewed open a cycle; corrected keeps it; all of them bring the certification before the next run.';
comment on column certvakt.certification_changes.changed_in is
  'The transaction that made the change. A run remembers the snapshot that it read, so the next one sees exactly what became visible since, however long a transaction took.';

create index certification_changes_certification on certvakt.certification_changes (organisation_id, certification_id);
create index certification_changes_unread on certvakt.certification_changes (organisation_id, changed_in);
-- A correction is rare; a run asks of every notice whether there was one.
create index certification_changes_corrected on certvakt.certification_changes (organisation_id, certification_id)
  where kind = 'corrected';

create function certvakt.record_new_certifications() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into certvakt.certification_changes (organisation_id, certification_id, kind, expires_after)
  select n.organisation_id, n.id, 'recorded', n.expires_at from new_rows n;
  return null;
end
$$;

create function certvakt.record_certification_changes() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  -- Set by whoever knows better than the dates: a renewal to an earlier day, a correction to a later.
  dates_are text := nullif(current_setting('certvakt.dates_are', true), '');
begin
  insert into certvakt.certification_changes (organisation_id, certification_id, kind, expires_before, expires_after)
  select n.organisation_id, n.id,
    case
      when n.expires_at is not distinct from o.expires_at
        then case n.status when 'suspended' then 'suspended' else 'reinstated' end
      when dates_are in ('renewed', 'corrected') then dates_are
      when n.expires_at is null or n.expires_at > o.expires_at then 'renewed'
      else 'corrected'
    end,
    o.expires_at, n.expires_at
  from old_rows o join new_rows n on n.id = o.id
  where n.expires_at is distinct from o.expires_at
     or (n.status = 'suspended') <> (o.status = 'suspended')
     -- Put back by hand: the next run looks whether that is true.
     or (o.status = 'expired' and n.status = 'active');
  return null;
end
$$;

create function certvakt.refuse_other_mentor() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'a certification stays its mentor''s: what was told of it was told to them'
    using errcode = 'restrict_violation', hint = 'Record another certification for somebody else, and delete this one.';
end
$$;
revoke all on function certvakt.refuse_other_mentor() from public, anon, authenticated, service_role;

create function certvakt.touch_certification() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end
$$;

revoke all on function certvakt.record_new_certifications(), certvakt.record_certification_changes(),
  certvakt.touch_certification() from public, anon, authenticated, service_role;

create trigger record_new_certifications
  after insert on public.peer_mentor_certifications
  referencing new table as new_rows
  for each statement execute function certvakt.record_new_certifications();
create trigger record_certification_changes
  after update on public.peer_mentor_certifications
  referencing old table as old_rows new table as new_rows
  for each statement execute function certvakt.record_certification_changes();
create trigger refuse_other_mentor
  before update of peer_mentor_id on public.peer_mentor_certifications
  for each row when (new.peer_mentor_id <> old.peer_mentor_id)
  execute function certvakt.refuse_other_mentor();
create trigger touch_certification
  before update on public.peer_mentor_certifications
  for each row execute function certvakt.touch_certification();
-- Given away last: from PostgreSQL 16 on the migrator does not inherit the new owner's rights.
alter function certvakt.record_new_certifications() owner to certvakt_definer;
alter function certvakt.record_certification_changes() owner to certvakt_definer;

alter table public.peer_mentor_certifications enable row level security;
alter table public.peer_mentor_certifications force row level security;
revoke all on public.peer_mentor_certifications from public, anon, authenticated, service_role;
grant select, update (status) on public.peer_mentor_certifications to certvakt_worker;
grant select, insert, update, delete on public.peer_mentor_certifications to certvakt_registrar, service_role;
create policy worker_reads on public.peer_mentor_certifications for select to certvakt_worker using (true);
create policy worker_expires on public.peer_mentor_certifications for update to certvakt_worker
  using (status = 'active') with check (status = 'expired');
create policy registrar_keeps on public.peer_mentor_certifications to certvakt_registrar using (true) with check (true);
create policy service_keeps on public.peer_mentor_certifications to service_role using (true) with check (true);

alter table certvakt.certification_changes enable row level security;
alter table certvakt.certification_changes force row level security;
revoke all on certvakt.certification_changes from public, anon, authenticated, service_role;
grant select on certvakt.certification_changes to certvakt_worker, certvakt_registrar;
grant insert on certvakt.certification_changes to certvakt_definer;
create policy worker_reads on certvakt.certification_changes for select to certvakt_worker using (true);
create policy registrar_reads on certvakt.certification_changes for select to certvakt_registrar using (true);
create policy definer_records on certvakt.certification_changes for insert to certvakt_definer with check (true);
