-- People, what they are in which chapter, and where they can be reached.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.people (
  id uuid primary key default certvakt.uuid_v7(),
  name text constraint people_name_form check (length(name) between 1 and 200),
  locale text constraint people_locale_known check (locale in ('nb', 'en')),
  created_at timestamptz not null default now()
);
comment on column certvakt.people.locale is 'The language of the person; null: the organisation''s.';

-- Filled by an invitation, never by an address that happens to be the same.
create table certvakt.identities (
  issuer text not null constraint identities_issuer_form check (length(issuer) between 1 and 500),
  subject text not null constraint identities_subject_form check (length(subject) between 1 and 255),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (issuer, subject)
);
comment on table certvakt.identities is
  'The logins by which people are known: the claims iss and sub of their tokens. On Supabase the subject is the account''s id.';
create index identities_person on certvakt.identities (person_id);

create table certvakt.memberships (
  organisation_id uuid not null,
  chapter_id uuid not null,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  role text not null constraint memberships_role_known check (role in ('mentor', 'coordinator', 'org_admin')),
  created_at timestamptz not null default now(),
  primary key (person_id, chapter_id, role),
  constraint memberships_chapter_inside_organisation
    foreign key (organisation_id, chapter_id) references certvakt.chapters (organisation_id, id) on delete cascade
);
create index memberships_chapter on certvakt.memberships (organisation_id, chapter_id);

create table certvakt.contact_points (
  id uuid primary key default certvakt.uuid_v7(),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  kind text not null constraint contact_points_kind_known check (kind in ('push', 'email')),
  address text not null constraint contact_points_address_form check (
    case kind
      when 'push' then address ~ '^[[:graph:]]+$' and octet_length(address) <= 2048
      else length(address) <= 254 and address ~ '^[^@[:space:]]+@[^@[:space:]]+$'
    end),
  installation text constraint contact_points_installation_form
    check (installation is null or kind = 'push' and length(installation) between 1 and 200),
  created_at timestamptz not null default now(),
  constraint contact_points_once_a_person unique (person_id, kind, address)
);
comment on column certvakt.contact_points.address is
  'A device''s registration token (push) or a mail address (email).';
comment on column certvakt.contact_points.installation is
  'The app''s own name for its installation on a device; null where the token came with a register.';
create unique index contact_points_installation on certvakt.contact_points (installation) where installation is not null;
-- Who else has signed in on a device.
create index contact_points_device on certvakt.contact_points (address) where kind = 'push';
-- Whose mail address somebody signs in with, in whatever case they write it.
create index contact_points_email on certvakt.contact_points (lower(address)) where kind = 'email';

create table certvakt.channel_opt_outs (
  person_id uuid not null references certvakt.people (id) on delete cascade,
  kind text not null constraint channel_opt_outs_kind_known check (kind in ('push', 'email')),
  created_at timestamptz not null default now(),
  primary key (person_id, kind)
);

do $$
declare
  relation text;
begin
  foreach relation in array array['people', 'identities', 'memberships', 'contact_points', 'channel_opt_outs'] loop
    execute format('alter table certvakt.%I enable row level security', relation);
    execute format('alter table certvakt.%I force row level security', relation);
    execute format('revoke all on certvakt.%I from public, anon, authenticated, service_role', relation);
    execute format('grant select on certvakt.%I to certvakt_worker', relation);
    execute format('grant select, insert, update, delete on certvakt.%I to certvakt_registrar', relation);
    execute format('create policy worker_reads on certvakt.%I for select to certvakt_worker using (true)', relation);
    execute format('create policy registrar_keeps on certvakt.%I to certvakt_registrar using (true) with check (true)', relation);
  end loop;
end
$$;

-- A token that the provider calls unregistered is removed by the delivery that learnt of it.
grant delete on certvakt.contact_points to certvakt_worker;
create policy worker_removes on certvakt.contact_points for delete to certvakt_worker using (true);
