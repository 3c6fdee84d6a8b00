-- People, their names in organisations, their logins, their memberships and their contact points.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Erasure keeps the row's id, because histories and notices refer to it.
create table certvakt.people (
  id uuid primary key default certvakt.uuid_v7(),
  name text constraint people_name_form check (length(name) between 1 and 200)
    constraint people_name_plain check (name !~ certvakt.forbidden_characters()),
  family_name text constraint people_family_name_form check (length(family_name) between 1 and 200)
    constraint people_family_name_plain check (family_name !~ certvakt.forbidden_characters()),
  locale text constraint people_locale_known check (locale in ('nb', 'en')),
  created_at timestamptz not null default now(),
  erased_at timestamptz,
  name_folded text generated always as (certvakt.folded(name)) stored,
  erased_by text,
  constraint people_erased_whole check (erased_at is null or (name is null and family_name is null and locale is null))
);
comment on column certvakt.people.name is
  'The person''s own name. An app that keeps people itself writes it; registers write person_names. It is used in organisations that have no name for the person.';
comment on column certvakt.people.family_name is 'The family name in `name`, by which lists sort. Null: they sort by `name`.';
comment on column certvakt.people.locale is 'The person''s language. Null: the language of the organisation.';
comment on column certvakt.people.erased_at is 'When the person''s data was erased.';
comment on column certvakt.people.name_folded is 'The name in the form that searches compare.';
comment on column certvakt.people.erased_by is 'Who erased the person: who ran the command, as account@host, or "person" and the id of an administrator.';
create index people_erased on certvakt.people (erased_at) where erased_at is not null;

alter table certvakt.people enable row level security;
alter table certvakt.people force row level security;
revoke all on certvakt.people from public, anon, authenticated, service_role;
grant select on certvakt.people to certvakt_worker;
create policy worker_reads on certvakt.people for select to certvakt_worker using (true);
grant select, insert, update, delete on certvakt.people to certvakt_registrar;
create policy registrar_manages on certvakt.people to certvakt_registrar using (true) with check (true);
grant select (id, name, locale) on certvakt.people to certvakt_auth;
create policy auth_reads on certvakt.people for select to certvakt_auth using (true);
-- To lock a person, the definer updates the id to the same value. It adds the people whom administrators add.
grant select (id, name, family_name, locale, created_at, erased_at, name_folded), insert (id), update (id) on certvakt.people to certvakt_definer;
create policy definer_adds on certvakt.people for insert to certvakt_definer with check (name is null);
create policy definer_reads on certvakt.people for select to certvakt_definer using (true);
create policy definer_locks on certvakt.people for update to certvakt_definer using (true) with check (true);

-- Each organisation has its own name for a person. No register or administrator writes the name of another organisation.
create table certvakt.person_names (
  person_id uuid not null references certvakt.people (id) on delete cascade,
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  name text not null constraint person_names_name_form check (length(name) between 1 and 200)
    constraint person_names_name_plain check (name !~ certvakt.forbidden_characters()),
  family_name text constraint person_names_family_name_form check (length(family_name) between 1 and 200)
    constraint person_names_family_name_plain check (family_name !~ certvakt.forbidden_characters()),
  name_folded text generated always as (certvakt.folded(name)) stored,
  locale text constraint person_names_locale_known check (locale in ('nb', 'en')),
  primary key (person_id, organisation_id)
);
comment on column certvakt.person_names.family_name is
  'The family name in `name`, by which lists sort, from a register that separates names. Null: they sort by `name`.';
comment on column certvakt.person_names.locale is
  'The language in which the organisation writes to the person, from its register. Null: the register has none. people.locale takes precedence.';
comment on table certvakt.person_names is
  'The names that organisations use for people, in their pages and notices. They take precedence over people.name.';
comment on column certvakt.person_names.name_folded is 'The name in the form that searches compare.';
create index person_names_organisation on certvakt.person_names (organisation_id);

alter table certvakt.person_names enable row level security;
alter table certvakt.person_names force row level security;
revoke all on certvakt.person_names from public, anon, authenticated, service_role;
grant select on certvakt.person_names to certvakt_worker, certvakt_definer;
create policy worker_reads on certvakt.person_names for select to certvakt_worker using (true);
create policy definer_reads on certvakt.person_names for select to certvakt_definer using (true);
grant insert (person_id, organisation_id, name) on certvakt.person_names to certvakt_definer;
create policy definer_adds on certvakt.person_names for insert to certvakt_definer with check (true);
grant select, insert, update, delete on certvakt.person_names to certvakt_registrar;
create policy registrar_manages on certvakt.person_names to certvakt_registrar using (true) with check (true);
grant select (person_id, organisation_id, name, locale) on certvakt.person_names to certvakt_auth;
create policy auth_reads on certvakt.person_names for select to certvakt_auth using (true);

-- pg_trgm can be installed in a schema other than extensions.
do $$
declare
  named text;
begin
  foreach named in array array['people', 'person_names'] loop
    execute (
      select format('create index %I on certvakt.%I using gin (name_folded %I.gin_trgm_ops)',
        named || '_name_folded', named, n.nspname)
      from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm');
  end loop;
end
$$;

-- An invitation links a login to a person; a matching address alone does not. Only a person who opens a sign-in link gets a
-- login without an invitation.
create table certvakt.identities (
  issuer text not null constraint identities_issuer_form check (length(issuer) between 1 and 500),
  subject text not null constraint identities_subject_form check (length(subject) between 1 and 255),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  created_at timestamptz not null default now(),
  address text,
  primary key (issuer, subject),
  constraint identities_plain check (issuer || subject !~ certvakt.forbidden_characters())
);
comment on table certvakt.identities is
  'The logins of people: the claims iss and sub of their tokens. On Supabase, the subject is the id of the account.';
comment on column certvakt.identities.address is
  'The address of the invitation that the login accepted. Null: the operator or an app linked the login.';
create index identities_person on certvakt.identities (person_id);

alter table certvakt.identities enable row level security;
alter table certvakt.identities force row level security;
revoke all on certvakt.identities from public, anon, authenticated, service_role;
grant select on certvakt.identities to certvakt_worker;
create policy worker_reads on certvakt.identities for select to certvakt_worker using (true);
grant select, insert, update, delete on certvakt.identities to certvakt_registrar;
create policy registrar_manages on certvakt.identities to certvakt_registrar using (true) with check (true);
grant select (issuer, subject, person_id), insert (issuer, subject, person_id) on certvakt.identities to certvakt_auth;
create policy auth_reads on certvakt.identities for select to certvakt_auth using (true);
create policy auth_adds_links on certvakt.identities for insert to certvakt_auth
  with check (issuer = 'urn:certvakt:link' and subject = person_id::text);
-- The definer links the login of an accepted invitation, and ends the logins of people who died or left.
grant select, insert, delete on certvakt.identities to certvakt_definer;
create policy definer_manages on certvakt.identities to certvakt_definer using (true) with check (true);

-- An app with its own hierarchy may replace this function: see certvakt.visible_chapters().
create function certvakt.current_person() returns uuid
language plpgsql stable security definer set search_path = '' as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
begin
  return (
    select i.person_id from certvakt.identities i
    where i.issuer = claims ->> 'iss' and i.subject = claims ->> 'sub');
end
$$;
comment on function certvakt.current_person is
  'Returns the person of the caller, from the claims iss and sub of the token. Null if no person is linked to the login.';
revoke all on function certvakt.current_person() from public, anon, authenticated, service_role;
grant execute on function certvakt.current_person() to authenticated;
alter function certvakt.current_person() owner to certvakt_definer;

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
create index memberships_chapter on certvakt.memberships (organisation_id, chapter_id, role);
create index memberships_coordinators on certvakt.memberships (organisation_id, chapter_id) where role = 'coordinator';
create index memberships_administrators on certvakt.memberships (organisation_id) where role = 'org_admin';

alter table certvakt.memberships enable row level security;
alter table certvakt.memberships force row level security;
revoke all on certvakt.memberships from public, anon, authenticated, service_role;
grant select on certvakt.memberships to certvakt_worker;
create policy worker_reads on certvakt.memberships for select to certvakt_worker using (true);
-- The definer ends and moves people.
grant select, insert (organisation_id, chapter_id, person_id, role), delete on certvakt.memberships to certvakt_definer;
create policy definer_manages on certvakt.memberships to certvakt_definer using (true) with check (true);
-- A membership is added and deleted, and never updated.
grant select, insert, delete on certvakt.memberships to certvakt_registrar;
create policy registrar_manages on certvakt.memberships to certvakt_registrar using (true) with check (true);
grant select (person_id, organisation_id) on certvakt.memberships to certvakt_auth;
create policy auth_reads on certvakt.memberships for select to certvakt_auth using (true);

-- A contact point belongs to its person, or it comes from the register of one organisation. That organisation's notices
-- alone use the latter.
create table certvakt.contact_points (
  id uuid primary key default certvakt.uuid_v7(),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  kind text not null constraint contact_points_kind_known check (kind in ('push', 'email', 'phone')),
  address text not null constraint contact_points_address_form check (
    case kind
      when 'push' then address ~ '^[[:graph:]]+$' and octet_length(address) <= 2048
      when 'phone' then address ~ '^[+]?[0-9]{3,15}$'
      else length(address) <= 254 and address ~ '^[^@[:space:]]+@[^@[:space:]]+$'
    end)
    constraint contact_points_address_plain check (address !~ certvakt.forbidden_characters()),
  installation text constraint contact_points_installation_form
    check (installation is null or kind = 'push' and length(installation) between 1 and 200)
    constraint contact_points_installation_plain check (installation !~ certvakt.forbidden_characters()),
  created_at timestamptz not null default now(),
  organisation_id uuid references certvakt.organisations (id) on delete cascade,
  receives_tokens boolean not null default true,
  constraint contact_points_once unique nulls not distinct (person_id, kind, address, organisation_id),
  constraint contact_points_installation_own check (installation is null or organisation_id is null)
);
comment on column certvakt.contact_points.address is
  'The registration token of a device (push), a mail address (email), or a phone number, with + and the country''s code if it is known (phone).';
comment on column certvakt.contact_points.installation is
  'The app''s identifier of its installation on a device. Null if the token came from a register.';
comment on column certvakt.contact_points.organisation_id is
  'The organisation whose register contains it, or whose coordinator added it. Null: it belongs to the person, who alone adds, moves and removes it.';
comment on column certvakt.contact_points.receives_tokens is
  'False: a coordinator added it for a person who could already sign in. It is for notices only; no sign-in link or invitation goes there.';
create unique index contact_points_installation on certvakt.contact_points (installation) where installation is not null;
-- Finds the other people who signed in on a device.
create index contact_points_device on certvakt.contact_points (address) where kind = 'push';
-- Finds the people of a mail address, without regard to case.
create index contact_points_email on certvakt.contact_points (lower(address)) where kind = 'email';
create index contact_points_organisation on certvakt.contact_points (organisation_id);

alter table certvakt.contact_points enable row level security;
alter table certvakt.contact_points force row level security;
revoke all on certvakt.contact_points from public, anon, authenticated, service_role;
-- The worker deletes a token that the provider reports as unregistered.
grant select, delete on certvakt.contact_points to certvakt_worker;
create policy worker_reads on certvakt.contact_points for select to certvakt_worker using (true);
create policy worker_removes on certvakt.contact_points for delete to certvakt_worker using (true);
grant select, insert, update, delete on certvakt.contact_points to certvakt_registrar;
create policy registrar_manages on certvakt.contact_points to certvakt_registrar using (true) with check (true);
grant select (id, person_id, kind, address, organisation_id) on certvakt.contact_points to certvakt_auth;
create policy auth_reads on certvakt.contact_points for select to certvakt_auth using (kind = 'email');
-- The definer reads mail addresses for invitations. It writes devices, the addresses that people manage themselves, and those
-- that coordinators correct for the organisation.
grant select (id, person_id, kind, address, installation, created_at, organisation_id, receives_tokens),
  insert (person_id, kind, address, installation, organisation_id, receives_tokens), delete on certvakt.contact_points to certvakt_definer;
create policy definer_reads on certvakt.contact_points for select to certvakt_definer using (true);
create policy definer_adds on certvakt.contact_points for insert to certvakt_definer
  with check (kind in ('push', 'phone') and organisation_id is null or kind in ('email', 'phone') and organisation_id is not null);
create policy definer_removes on certvakt.contact_points for delete to certvakt_definer using (true);

create table certvakt.channel_opt_outs (
  person_id uuid not null references certvakt.people (id) on delete cascade,
  kind text not null constraint channel_opt_outs_kind_known check (kind in ('push', 'email')),
  created_at timestamptz not null default now(),
  primary key (person_id, kind)
);
comment on table certvakt.channel_opt_outs is
  'Kinds of contact point at which a person does not want notices from any organisation. An opt-out takes precedence over every contact point of its kind.';

alter table certvakt.channel_opt_outs enable row level security;
alter table certvakt.channel_opt_outs force row level security;
revoke all on certvakt.channel_opt_outs from public, anon, authenticated, service_role;
grant select on certvakt.channel_opt_outs to certvakt_worker;
create policy worker_reads on certvakt.channel_opt_outs for select to certvakt_worker using (true);
grant select, insert, update, delete on certvakt.channel_opt_outs to certvakt_registrar;
create policy registrar_manages on certvakt.channel_opt_outs to certvakt_registrar using (true) with check (true);
grant select, insert (person_id, kind), delete on certvakt.channel_opt_outs to certvakt_definer;
create policy definer_manages on certvakt.channel_opt_outs to certvakt_definer using (true) with check (true);

create view certvakt.administrators with (security_invoker = true) as
select distinct on (m.organisation_id, m.person_id) m.organisation_id, m.person_id, k.id as contact_point_id
from certvakt.memberships m
join certvakt.contact_points k on k.person_id = m.person_id and k.kind = 'email'
  and (k.organisation_id is null or k.organisation_id = m.organisation_id)
where m.role = 'org_admin'
order by m.organisation_id, m.person_id, k.organisation_id nulls first, k.id;
comment on view certvakt.administrators is 'The administrators of each organisation who have a mail address, with one contact point each.';
revoke all on certvakt.administrators from public, anon, authenticated, service_role;
grant select on certvakt.administrators to certvakt_worker;

-- The command and the page that add a person call this with the rights of their own roles.
create function certvakt.insert_person(
  person uuid, organisation uuid, chapter uuid, role text, name text, email text, phone text) returns uuid
language sql set search_path = ''
begin atomic
  with added as (
    insert into certvakt.people (id) values (insert_person.person) returning id
  ),
  named as (
    insert into certvakt.person_names (person_id, organisation_id, name)
    select a.id, insert_person.organisation, insert_person.name from added a
  ),
  member as (
    insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
    select insert_person.organisation, insert_person.chapter, a.id, insert_person.role from added a
  ),
  reached as (
    insert into certvakt.contact_points (person_id, organisation_id, kind, address)
    select a.id, insert_person.organisation, k.kind, k.address
    from added a cross join (values ('email', insert_person.email), ('phone', insert_person.phone)) k (kind, address)
    where k.address is not null
  )
  select a.id from added a;
end;
comment on function certvakt.insert_person is 'Adds a person with a name, a role in a chapter and addresses in an organisation.';
revoke all on function certvakt.insert_person(uuid, uuid, uuid, text, text, text, text) from public, anon, authenticated, service_role;
grant execute on function certvakt.insert_person(uuid, uuid, uuid, text, text, text, text) to certvakt_registrar, certvakt_definer;

-- Triggers call this after the insert, so that a transaction that waited for an erasure sees it.
create function certvakt.refuse_erased(people uuid[]) returns void
language plpgsql set search_path = '' as $$
begin
  -- With a join, PostgreSQL reads the few erased people instead of looking up each of many new ones.
  if exists (
    select from unnest(refuse_erased.people) given (id) join certvakt.people p on p.id = given.id where p.erased_at is not null) then
    raise exception 'the person was erased: nothing can be added for them'
      using errcode = 'restrict_violation', constraint = 'person_erased',
        hint = 'Create a new person: the id of an erased person is never used again.';
  end if;
end
$$;
comment on function certvakt.refuse_erased is 'Raises an error if any of the people was erased.';

create function certvakt.refuse_rows_of_erased() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform certvakt.refuse_erased(array(select n.person_id from new_rows n));
  return null;
end
$$;
revoke all on function certvakt.refuse_erased(uuid[]), certvakt.refuse_rows_of_erased()
  from public, anon, authenticated, service_role;
grant execute on function certvakt.refuse_erased(uuid[]) to certvakt_definer;
create trigger refuse_erased after insert on certvakt.identities referencing new table as new_rows
  for each statement execute function certvakt.refuse_rows_of_erased();
create trigger refuse_erased after insert on certvakt.person_names referencing new table as new_rows
  for each statement execute function certvakt.refuse_rows_of_erased();
-- A role needs EXECUTE on the function of a trigger that it creates. So the owner changes after the last of these
-- triggers, which is on certvakt.invitations.
