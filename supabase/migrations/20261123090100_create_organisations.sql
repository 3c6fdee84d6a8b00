-- Organisations, their chapters as a tree, and the types of certification that they issue.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.organisations (
  id uuid primary key default certvakt.uuid_v7(),
  slug text not null unique
    constraint organisations_slug_form check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name text not null constraint organisations_name_form check (length(name) between 1 and 200),
  -- An unknown zone makes the expression raise; a known one is never null. PostgreSQL takes europe/oslo
  -- and EST5EDT as well, which are no names of the IANA database.
  time_zone text not null
    constraint organisations_time_zone_form check (time_zone ~ '^[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]+){0,2}$')
    constraint organisations_time_zone_known
    check (('2000-01-01 00:00'::timestamp at time zone time_zone) is not null),
  locale text not null default 'nb' constraint organisations_locale_known check (locale in ('nb', 'en')),
  run_at time not null default '02:00',
  deliver_from time not null default '09:00',
  deliver_until time not null default '20:00',
  -- Bounded by its check, as are the other small ones.
  -- squawk-ignore prefer-bigint-over-smallint
  expired_grace_days smallint not null default 30
    constraint organisations_grace_range check (expired_grace_days between 1 and 90),
  run_limit_floor bigint not null default 50
    constraint organisations_limit_floor_range check (run_limit_floor >= 0),
  -- squawk-ignore prefer-bigint-over-smallint
  run_limit_percent smallint not null default 20
    constraint organisations_limit_percent_range check (run_limit_percent between 0 and 100),
  names_certification boolean not null default false,
  created_at timestamptz not null default now()
);
comment on column certvakt.organisations.names_certification is
  'Whether a lock screen and a mail''s subject may name the association and the certification.';

create table certvakt.chapters (
  id uuid primary key default certvakt.uuid_v7(),
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  parent_id uuid,
  slug text not null
    constraint chapters_slug_form check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name text not null constraint chapters_name_form check (length(name) between 1 and 200),
  created_at timestamptz not null default now(),
  constraint chapters_slug_unique unique (organisation_id, slug),
  constraint chapters_inside_organisation unique (organisation_id, id),
  constraint chapters_parent_inside_organisation
    foreign key (organisation_id, parent_id) references certvakt.chapters (organisation_id, id)
);
create index chapters_parent on certvakt.chapters (organisation_id, parent_id);

create function certvakt.refuse_chapter_cycle() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
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
revoke all on function certvakt.refuse_chapter_cycle() from public, anon, authenticated, service_role;

create trigger refuse_chapter_cycle
  before insert or update of parent_id on certvakt.chapters
  for each row when (new.parent_id is not null)
  execute function certvakt.refuse_chapter_cycle();
-- Given away last: from PostgreSQL 16 on the migrator does not inherit the new owner's rights.
alter function certvakt.refuse_chapter_cycle() owner to certvakt_definer;

create table certvakt.certification_types (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  code text not null
    constraint certification_types_code_form check (code ~ '^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$'),
  name text not null constraint certification_types_name_form check (length(name) between 1 and 200),
  -- squawk-ignore prefer-bigint-over-smallint
  validity_months smallint
    constraint certification_types_validity_range check (validity_months between 1 and 1200),
  created_at timestamptz not null default now(),
  primary key (organisation_id, code)
);
comment on column certvakt.certification_types.validity_months is
  'How long a certification of the type is valid; null: each has its own date.';

do $$
declare
  relation text;
begin
  foreach relation in array array['organisations', 'chapters', 'certification_types'] loop
    execute format('alter table certvakt.%I enable row level security', relation);
    execute format('alter table certvakt.%I force row level security', relation);
    execute format('revoke all on certvakt.%I from public, anon, authenticated, service_role', relation);
    execute format('grant select on certvakt.%I to certvakt_worker, certvakt_definer', relation);
    execute format('grant select, insert on certvakt.%I to certvakt_registrar', relation);
    execute format('create policy worker_reads on certvakt.%I for select to certvakt_worker using (true)', relation);
    execute format('create policy definer_reads on certvakt.%I for select to certvakt_definer using (true)', relation);
    execute format('create policy registrar_keeps on certvakt.%I to certvakt_registrar using (true) with check (true)', relation);
  end loop;
end
$$;

-- The time zone is part of every due date and so of every key: nobody changes it.
grant update (name, locale, run_at, deliver_from, deliver_until, expired_grace_days, run_limit_floor, run_limit_percent,
  names_certification) on certvakt.organisations to certvakt_registrar;
grant update (parent_id, name) on certvakt.chapters to certvakt_registrar;
grant update (name, validity_months) on certvakt.certification_types to certvakt_registrar;
