-- The types of certification that an organisation issues, the certifications of the source document, the record of their
-- changes, and which other chapters may see one.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.certification_types (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  code text not null
    constraint certification_types_code_form check (code ~ '^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$'),
  name text not null constraint certification_types_name_form check (length(name) between 1 and 200)
    constraint certification_types_name_plain check (name !~ certvakt.forbidden_characters()),
  -- squawk-ignore prefer-bigint-over-smallint
  validity_months smallint
    constraint certification_types_validity_range check (validity_months between 1 and 1200),
  created_at timestamptz not null default now(),
  renewal_rule text not null default 'completion'
    constraint certification_types_renewal_rule_known
    check (renewal_rule ~ '^(completion|expiry|expiry-unless-lapsed|end-of-year|(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))$'),
  -- squawk-ignore prefer-bigint-over-smallint
  renewal_window_days smallint
    constraint certification_types_renewal_window_range check (renewal_window_days between 1 and 3650),
  -- certvakt.enumerate_stages replaces the second constraint when a stage is declared.
  -- squawk-ignore prefer-bigint-over-int
  lead_times integer[]
    constraint certification_types_lead_times_number check (cardinality(lead_times) between 1 and 12)
    constraint certification_types_lead_times_declared check (lead_times <@ array[90, 30, 7]),
  external_id text constraint certification_types_external_id_form check (length(external_id) between 1 and 200)
    constraint certification_types_external_id_plain check (external_id !~ certvakt.forbidden_characters()),
  primary key (organisation_id, code),
  constraint certification_types_external_id_unique unique (organisation_id, external_id)
);
comment on column certvakt.certification_types.external_id is 'The type''s number in registers.';
comment on column certvakt.certification_types.validity_months is
  'How long a certification of this type is valid, in months. Null: each certification has its own date.';
comment on column certvakt.certification_types.renewal_rule is
  'The day from which a renewal counts validity_months. completion: the day of the course. expiry: the previous last valid day. expiry-unless-lapsed: the same, but the day of the course once the certification has lapsed. MM-DD: the day of the course, and the result moves to the next such day of a year. end-of-year: the renewal ends on 31 December of the year of the course, and validity_months does not count.';
comment on column certvakt.certification_types.renewal_window_days is
  'The number of days before the last valid day from which a renewal is accepted. Null: at any time.';
comment on column certvakt.certification_types.lead_times is
  'The declared lead times that the type selected, in days before the last valid day. Null: those of its organisation.';

alter table certvakt.certification_types enable row level security;
alter table certvakt.certification_types force row level security;
revoke all on certvakt.certification_types from public, anon, authenticated, service_role;
grant select on certvakt.certification_types to certvakt_worker, certvakt_definer;
create policy worker_reads on certvakt.certification_types for select to certvakt_worker using (true);
create policy definer_reads on certvakt.certification_types for select to certvakt_definer using (true);
grant select, insert, update (name, validity_months, renewal_rule, renewal_window_days, lead_times) on certvakt.certification_types to certvakt_registrar;
create policy registrar_manages on certvakt.certification_types to certvakt_registrar using (true) with check (true);

create table public.peer_mentor_certifications (
  id uuid primary key default certvakt.uuid_v7(),
  organisation_id uuid not null,
  chapter_id uuid not null,
  peer_mentor_id uuid not null references certvakt.people (id) on delete cascade,
  certification_type text not null,
  external_id text constraint peer_mentor_certifications_external_id_form check (length(external_id) between 1 and 200)
    constraint peer_mentor_certifications_external_id_plain check (external_id !~ certvakt.forbidden_characters()),
  issued_at timestamptz constraint peer_mentor_certifications_issued_at_range
    check (issued_at >= '1900-01-01' and issued_at < '9999-01-01'),
  expires_at timestamptz constraint peer_mentor_certifications_expires_at_range
    check (expires_at >= '1900-01-01' and expires_at < '9999-01-01'),
  status text not null default 'active' constraint peer_mentor_certifications_status_known
    check (status in ('active', 'expired', 'suspended')),
  is_suspended boolean not null generated always as (status = 'suspended') stored,
  suspended_until date constraint peer_mentor_certifications_suspended_until_range
    check (suspended_until >= '1900-01-01' and suspended_until < '9999-01-01'),
  renewal_history jsonb not null default '[]'
    constraint peer_mentor_certifications_renewal_history_form check (jsonb_typeof(renewal_history) = 'array'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint peer_mentor_certifications_leave_when_suspended check (suspended_until is null or status = 'suspended'),
  constraint peer_mentor_certifications_inside_organisation unique (organisation_id, id),
  -- Notices refer to this key, because their recipient is the mentor. It also finds the certifications of a person.
  constraint peer_mentor_certifications_of_mentor unique (peer_mentor_id, id),
  constraint peer_mentor_certifications_in_register unique (organisation_id, external_id, certification_type),
  constraint peer_mentor_certifications_chapter_inside_organisation
    foreign key (organisation_id, chapter_id) references certvakt.chapters (organisation_id, id),
  constraint peer_mentor_certifications_type_inside_organisation
    foreign key (organisation_id, certification_type) references certvakt.certification_types (organisation_id, code)
)
-- The free space on each page keeps the new version of a row that becomes `expired`. No index contains the status, so
-- PostgreSQL writes no index entry then.
with (fillfactor = 90);
comment on column public.peer_mentor_certifications.expires_at is
  'Its date in the organisation''s time zone is the last valid day. Null: the certification does not expire.';
comment on column public.peer_mentor_certifications.is_suspended is
  'Whether the status is `suspended`. An index contains this column and not the status, which a run changes to `expired`.';
comment on column public.peer_mentor_certifications.suspended_until is
  'The last day of the suspension, in the organisation''s time zone. The next run after it reinstates the certification. Null: the suspension has no end.';
comment on column public.peer_mentor_certifications.external_id is
  'The id in the organisation''s register. Within the organisation, it identifies the mentor too.';

-- The certifications of a chapter in the order of pages: the next to expire first, those without an end last. The included
-- columns are those of the policies and of the filters, so PostgreSQL finds a page with an index-only scan. The expression is a CASE and not a
-- COALESCE, because COALESCE is not leakproof: PostgreSQL would apply the policies to every row before such a condition.
create index peer_mentor_certifications_chapter on public.peer_mentor_certifications
  (chapter_id, (case when expires_at is null then 'infinity'::timestamptz else expires_at end), id)
  include (expires_at, organisation_id, peer_mentor_id, certification_type, is_suspended, suspended_until);
-- The lists of suspended and withdrawn certifications, which are few.
create index peer_mentor_certifications_suspended on public.peer_mentor_certifications
  (chapter_id, (case when expires_at is null then 'infinity'::timestamptz else expires_at end), id) where is_suspended;
create index peer_mentor_certifications_type on public.peer_mentor_certifications (organisation_id, certification_type);
-- A run reads a few ranges of the dates of one organisation. No index mentions the status: a run sets it to `expired`, and
-- would then have to add each of those rows to every index.
create index peer_mentor_certifications_due on public.peer_mentor_certifications (organisation_id, expires_at);
create index peer_mentor_certifications_on_leave on public.peer_mentor_certifications (organisation_id, suspended_until)
  where suspended_until is not null;

alter table public.peer_mentor_certifications enable row level security;
alter table public.peer_mentor_certifications force row level security;
revoke all on public.peer_mentor_certifications from public, anon, authenticated, service_role;
grant select, update (status) on public.peer_mentor_certifications to certvakt_worker;
create policy worker_reads on public.peer_mentor_certifications for select to certvakt_worker using (true);
-- The worker sets the status of a lapsed certification, and ends a suspension that has a last day.
create policy worker_expires on public.peer_mentor_certifications for update to certvakt_worker
  using (status = 'active' or suspended_until is not null) with check (status in ('active', 'expired'));
grant select, insert, update, delete on public.peer_mentor_certifications to certvakt_registrar;
create policy registrar_manages on public.peer_mentor_certifications to certvakt_registrar using (true) with check (true);
-- The database sets created_at and updated_at.
grant select, delete,
  insert (id, organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at, expires_at, status,
    suspended_until, renewal_history),
  update (id, organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at, expires_at, status,
    suspended_until, renewal_history)
  on public.peer_mentor_certifications to service_role;
create policy service_manages on public.peer_mentor_certifications to service_role using (true) with check (true);
-- The definer moves histories to rows, and mentors to other chapters; it replaces the certifications of merged people.
grant select,
  insert (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at, expires_at, status,
    suspended_until),
  update (renewal_history, chapter_id, external_id, expires_at, status) on public.peer_mentor_certifications to certvakt_definer;
create policy definer_reads on public.peer_mentor_certifications for select to certvakt_definer using (true);
create policy definer_replaces on public.peer_mentor_certifications for insert to certvakt_definer with check (true);
create policy definer_moves on public.peer_mentor_certifications for update to certvakt_definer using (true) with check (true);

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
  'recorded and renewed begin a cycle; the others continue it. The next run checks the certification after each of them.';
comment on column certvakt.certification_changes.changed_in is
  'The transaction that made the change. A run stores its snapshot, so the next run reads exactly the changes that became visible since then, no matter how long a transaction took.';
create index certification_changes_certification on certvakt.certification_changes (organisation_id, certification_id);
create index certification_changes_unread on certvakt.certification_changes (organisation_id, changed_in);
-- Corrections are rare, and a run looks for one for every notice.
create index certification_changes_corrected on certvakt.certification_changes (organisation_id, certification_id)
  where kind = 'corrected';

alter table certvakt.certification_changes enable row level security;
alter table certvakt.certification_changes force row level security;
revoke all on certvakt.certification_changes from public, anon, authenticated, service_role;
grant select on certvakt.certification_changes to certvakt_worker, certvakt_registrar;
create policy worker_reads on certvakt.certification_changes for select to certvakt_worker using (true);
create policy registrar_reads on certvakt.certification_changes for select to certvakt_registrar using (true);
grant select, insert on certvakt.certification_changes to certvakt_definer;
create policy definer_reads on certvakt.certification_changes for select to certvakt_definer using (true);
create policy definer_records on certvakt.certification_changes for insert to certvakt_definer with check (true);

create view certvakt.cycle_starts with (security_invoker = true) as
select k.organisation_id, k.certification_id, k.kind, k.changed_at
from certvakt.certification_changes k
where k.kind = 'recorded' or k.kind = 'renewed' and not exists (
  select from certvakt.certification_changes back
  where back.organisation_id = k.organisation_id and back.certification_id = k.certification_id and back.kind = 'corrected'
    and back.id > k.id and back.expires_before is not distinct from k.expires_after
    and back.expires_after is not distinct from k.expires_before);
comment on view certvakt.cycle_starts is
  'When the cycles of certifications began. A renewal that was undone, or corrected to the former date, began none.';
revoke all on certvakt.cycle_starts from public, anon, authenticated, service_role;
grant select on certvakt.cycle_starts to certvakt_worker, certvakt_registrar, certvakt_definer;

-- Few mentors belong to several chapters of the organisation that certified them. Triggers maintain this table, so that a
-- query for the certifications that are visible for this reason does not scan all memberships.
create table certvakt.certifications_elsewhere (
  chapter_id uuid not null,
  certification_id uuid not null references public.peer_mentor_certifications (id) on delete cascade,
  person_id uuid not null,
  role text not null default 'mentor' constraint certifications_elsewhere_of_mentor check (role = 'mentor'),
  primary key (chapter_id, certification_id),
  constraint certifications_elsewhere_while_member
    foreign key (person_id, chapter_id, role) references certvakt.memberships (person_id, chapter_id, role) on delete cascade
);
comment on table certvakt.certifications_elsewhere is
  'Other chapters of the certifying organisation to which the mentor of a certification belongs.';
create index certifications_elsewhere_certification on certvakt.certifications_elsewhere (certification_id);
create index certifications_elsewhere_membership on certvakt.certifications_elsewhere (person_id, chapter_id, role);

alter table certvakt.certifications_elsewhere enable row level security;
alter table certvakt.certifications_elsewhere force row level security;
revoke all on certvakt.certifications_elsewhere from public, anon, authenticated, service_role;
grant select, insert, delete on certvakt.certifications_elsewhere to certvakt_definer;
create policy definer_manages on certvakt.certifications_elsewhere to certvakt_definer using (true) with check (true);

create function certvakt.memberships_after_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform certvakt.refuse_erased(array(select n.person_id from new_rows n));
  perform certvakt.refuse_ended(array_agg(n.organisation_id), array_agg(n.person_id)) from new_rows n;
  insert into certvakt.certifications_elsewhere (chapter_id, certification_id, person_id)
  select n.chapter_id, c.id, n.person_id
  from new_rows n
  join public.peer_mentor_certifications c on c.peer_mentor_id = n.person_id
  where n.role = 'mentor' and c.organisation_id = n.organisation_id and c.chapter_id <> n.chapter_id
  on conflict do nothing;
  return null;
end
$$;
create trigger after_insert after insert on certvakt.memberships referencing new table as new_rows
  for each statement execute function certvakt.memberships_after_insert();
revoke all on function certvakt.memberships_after_insert() from public, anon, authenticated, service_role;
alter function certvakt.memberships_after_insert() owner to certvakt_definer;

-- An import does not create a person again who was erased and is still in the register.
create table certvakt.erased_register_ids (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  digest bytea not null constraint erased_register_ids_digest_form check (length(digest) = 32),
  erased_at timestamptz not null default now(),
  primary key (organisation_id, digest)
);
comment on table certvakt.erased_register_ids is
  'Digests of the ids that erased people had in registers (certvakt.register_id_digest).';

alter table certvakt.erased_register_ids enable row level security;
alter table certvakt.erased_register_ids force row level security;
revoke all on certvakt.erased_register_ids from public, anon, authenticated, service_role;
grant select, insert, delete on certvakt.erased_register_ids to certvakt_registrar;
create policy registrar_manages on certvakt.erased_register_ids to certvakt_registrar using (true) with check (true);

create function certvakt.register_id_digest(organisation uuid, external_id text) returns bytea
language sql immutable strict parallel safe set search_path = ''
return sha256(convert_to(organisation::text || '|' || external_id, 'UTF8'));
comment on function certvakt.register_id_digest is
  'Returns the SHA-256 digest of an organisation''s id and an id in its register. It recognises a given id and reveals nothing else.';
revoke all on function certvakt.register_id_digest(uuid, text) from public, anon, authenticated, service_role;
grant execute on function certvakt.register_id_digest(uuid, text) to certvakt_registrar;

-- A register can have ids of people beside those of their certifications.
create table certvakt.register_ids (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  external_id text not null constraint register_ids_external_id_form check (length(external_id) between 1 and 200)
    constraint register_ids_external_id_plain check (external_id !~ certvakt.forbidden_characters()),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (organisation_id, external_id)
);
comment on table certvakt.register_ids is 'The ids of people in the register of an organisation.';
create index register_ids_person on certvakt.register_ids (person_id);

alter table certvakt.register_ids enable row level security;
alter table certvakt.register_ids force row level security;
revoke all on certvakt.register_ids from public, anon, authenticated, service_role;
grant select on certvakt.register_ids to certvakt_worker;
create policy worker_reads on certvakt.register_ids for select to certvakt_worker using (true);
grant select, insert, delete on certvakt.register_ids to certvakt_registrar;
create policy registrar_manages on certvakt.register_ids to certvakt_registrar using (true) with check (true);
-- The definer gives the ids of somebody who was merged to the person who stays.
grant select, update (person_id) on certvakt.register_ids to certvakt_definer;
create policy definer_moves on certvakt.register_ids to certvakt_definer using (true) with check (true);
create trigger refuse_erased after insert on certvakt.register_ids referencing new table as new_rows
  for each statement execute function certvakt.refuse_rows_of_erased();

-- A certification under a new number replaces the one under the old number, which is withdrawn. A merge of two people replaces
-- those of the one by those of the other.
create table certvakt.replacements (
  certification_id uuid primary key references public.peer_mentor_certifications (id) on delete cascade,
  successor_id uuid not null references public.peer_mentor_certifications (id) on delete cascade,
  replaced_at timestamptz not null default now(),
  constraint replacements_of_another check (successor_id <> certification_id)
);
comment on table certvakt.replacements is 'Certifications that a register replaced by one with a new number, and those of merged people.';
create index replacements_successor on certvakt.replacements (successor_id);

alter table certvakt.replacements enable row level security;
alter table certvakt.replacements force row level security;
revoke all on certvakt.replacements from public, anon, authenticated, service_role;
grant select, insert, update (successor_id, replaced_at), delete on certvakt.replacements to certvakt_registrar;
create policy registrar_manages on certvakt.replacements to certvakt_registrar using (true) with check (true);
grant select on certvakt.replacements to certvakt_worker;
create policy worker_reads on certvakt.replacements for select to certvakt_worker using (true);
grant select, insert (certification_id, successor_id), update (successor_id, replaced_at) on certvakt.replacements
  to certvakt_definer;
create policy definer_merges on certvakt.replacements to certvakt_definer using (true) with check (true);

-- An import can suspend certifications that are no longer in the register. They return with the register, unless something
-- else has changed since.
create table certvakt.register_suspensions (
  certification_id uuid primary key references public.peer_mentor_certifications (id) on delete cascade,
  entry_id uuid not null
);
comment on table certvakt.register_suspensions is
  'Suspensions that end when the certification is in a register again.';
comment on column certvakt.register_suspensions.entry_id is
  'The entry of the history for the suspension. If the history has a later one, the row has no effect.';

alter table certvakt.register_suspensions enable row level security;
alter table certvakt.register_suspensions force row level security;
revoke all on certvakt.register_suspensions from public, anon, authenticated, service_role;
grant select, insert, update (entry_id), delete on certvakt.register_suspensions to certvakt_registrar;
create policy registrar_manages on certvakt.register_suspensions to certvakt_registrar using (true) with check (true);
