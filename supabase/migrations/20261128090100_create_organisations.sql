-- Organisations and the tree of their chapters.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.organisations (
  id uuid primary key default certvakt.uuid_v7(),
  slug text not null unique
    constraint organisations_slug_form check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name text not null constraint organisations_name_form check (length(name) between 1 and 200)
    constraint organisations_name_plain check (name !~ certvakt.forbidden_characters()),
  -- The expression raises an error for an unknown zone, and is never null for a known one. PostgreSQL also accepts
  -- europe/oslo and EST5EDT, which are not names in the IANA database.
  time_zone text not null
    constraint organisations_time_zone_form check (time_zone ~ '^[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]+){0,2}$')
    constraint organisations_time_zone_known
    check (('2000-01-01 00:00'::timestamp at time zone time_zone) is not null),
  locale text not null default 'nb' constraint organisations_locale_known check (locale in ('nb', 'en')),
  run_at time not null default '02:00',
  deliver_from time not null default '09:00',
  deliver_until time not null default '20:00',
  -- A check constraint limits the value, as for the other small columns.
  -- squawk-ignore prefer-bigint-over-smallint
  expired_grace_days smallint not null default 30
    constraint organisations_grace_range check (expired_grace_days between 1 and 90),
  run_limit_floor bigint not null default 50
    constraint organisations_limit_floor_range check (run_limit_floor >= 0),
  -- squawk-ignore prefer-bigint-over-smallint
  run_limit_percent smallint not null default 20
    constraint organisations_limit_percent_range check (run_limit_percent between 0 and 100),
  names_certification boolean not null default false,
  digest_names boolean not null default false,
  created_at timestamptz not null default now(),
  has_renewal_events boolean not null default false,
  -- certvakt.enumerate_stages replaces the second constraint when a stage is declared.
  -- squawk-ignore prefer-bigint-over-int
  lead_times integer[] not null default '{90,30,7}'
    constraint organisations_lead_times_number check (cardinality(lead_times) between 1 and 12)
    constraint organisations_lead_times_declared check (lead_times <@ array[90, 30, 7])
);
comment on column certvakt.organisations.names_certification is
  'Whether push notifications and subjects of e-mails may name the organisation and the certification.';
comment on column certvakt.organisations.digest_names is 'Whether the digests of coordinators may name mentors.';
comment on column certvakt.organisations.lead_times is
  'The declared lead times that the organisation selected, in days before the last valid day. The stage expired always applies.';
comment on column certvakt.organisations.has_renewal_events is
  'Whether a history moves to certification_renewal_events with its next change.';

alter table certvakt.organisations enable row level security;
alter table certvakt.organisations force row level security;
revoke all on certvakt.organisations from public, anon, authenticated, service_role;
grant select on certvakt.organisations to certvakt_worker;
create policy worker_reads on certvakt.organisations for select to certvakt_worker using (true);
-- No role may change the time zone: it is part of every due date, and so of every notice key.
grant select, insert, update (name, locale, run_at, deliver_from, deliver_until, expired_grace_days, run_limit_floor,
  run_limit_percent, names_certification, digest_names, lead_times) on certvakt.organisations to certvakt_registrar;
create policy registrar_manages on certvakt.organisations to certvakt_registrar using (true) with check (true);
grant select (id, name, locale) on certvakt.organisations to certvakt_auth;
create policy auth_reads on certvakt.organisations for select to certvakt_auth using (true);
grant select, update (has_renewal_events) on certvakt.organisations to certvakt_definer;
create policy definer_reads on certvakt.organisations for select to certvakt_definer using (true);
create policy definer_moves on certvakt.organisations for update to certvakt_definer using (true) with check (true);

create table certvakt.chapters (
  id uuid primary key default certvakt.uuid_v7(),
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  parent_id uuid,
  slug text not null
    constraint chapters_slug_form check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name text not null constraint chapters_name_form check (length(name) between 1 and 200)
    constraint chapters_name_plain check (name !~ certvakt.forbidden_characters()),
  created_at timestamptz not null default now(),
  external_id text constraint chapters_external_id_form check (length(external_id) between 1 and 200)
    constraint chapters_external_id_plain check (external_id !~ certvakt.forbidden_characters()),
  -- A chapter has at most thousands of mentors.
  -- squawk-ignore prefer-bigint-over-smallint
  required_mentors smallint constraint chapters_required_mentors_range check (required_mentors between 1 and 10000),
  constraint chapters_slug_unique unique (organisation_id, slug),
  constraint chapters_external_id_unique unique (organisation_id, external_id),
  constraint chapters_inside_organisation unique (organisation_id, id),
  constraint chapters_parent_inside_organisation
    foreign key (organisation_id, parent_id) references certvakt.chapters (organisation_id, id)
);
comment on column certvakt.chapters.external_id is 'The chapter''s number in registers.';
comment on column certvakt.chapters.required_mentors is 'How many valid mentors the chapter needs. Null: not set.';
create index chapters_parent on certvakt.chapters (organisation_id, parent_id);

alter table certvakt.chapters enable row level security;
alter table certvakt.chapters force row level security;
revoke all on certvakt.chapters from public, anon, authenticated, service_role;
grant select on certvakt.chapters to certvakt_worker, certvakt_definer;
create policy worker_reads on certvakt.chapters for select to certvakt_worker using (true);
create policy definer_reads on certvakt.chapters for select to certvakt_definer using (true);
grant update (required_mentors) on certvakt.chapters to certvakt_definer;
create policy definer_sets on certvakt.chapters for update to certvakt_definer using (true) with check (true);
grant select, insert, update (parent_id, name), delete on certvakt.chapters to certvakt_registrar;
create policy registrar_manages on certvakt.chapters to certvakt_registrar using (true) with check (true);

create function certvakt.refuse_chapter_cycle() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- This update serializes moves within an organisation. A lock alone is not enough: after an update, a transaction with
  -- an older snapshot fails with a serialization error instead of reading the old tree. A new chapter has no children.
  if tg_op = 'UPDATE' then
    update certvakt.organisations o set has_renewal_events = o.has_renewal_events where o.id = new.organisation_id;
  end if;
  if exists (
    with recursive above as (
      select c.id, c.parent_id from certvakt.chapters c where c.id = new.parent_id
      union
      select c.id, c.parent_id from certvakt.chapters c join above a on c.id = a.parent_id
    )
    select from above where above.id = new.id
  ) then
    raise exception 'a chapter cannot be below itself' using errcode = 'check_violation';
  end if;
  return new;
end
$$;
create trigger refuse_chapter_cycle
  before insert or update of parent_id on certvakt.chapters
  for each row when (new.parent_id is not null)
  execute function certvakt.refuse_chapter_cycle();
revoke all on function certvakt.refuse_chapter_cycle() from public, anon, authenticated, service_role;
-- The owner changes last: from PostgreSQL 16 on, the migrating role does not inherit the new owner's privileges.
alter function certvakt.refuse_chapter_cycle() owner to certvakt_definer;
