-- A mentor consents to being listed, and nobody else in their name. An administrator decides which mail address a
-- register gives, so a login that came by such an address proves its person only if the address did not come later than
-- the person, or if two administrators have confirmed it.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- The tables that this file alters are small, and nobody waits long for what it reads.
alter table certvakt.invitations add column address text;
comment on column certvakt.invitations.address is 'The address that it was mailed to; null: the operator handed it over. Only the operator makes such a one.';
alter table certvakt.identities add column address text;
comment on column certvakt.identities.address is
  'The address of the invitation that the login accepted; null: the operator or the app made the login the person''s.';
alter table certvakt.sessions
  -- squawk-ignore adding-field-with-default
  add column id uuid not null default certvakt.uuid_v7(),
  add column address text,
  -- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
  add constraint sessions_id_unique unique (id);
comment on column certvakt.sessions.address is 'The address whose link began it; null: a provider did.';

create table certvakt.address_uses (
  person_id uuid not null references certvakt.people (id) on delete cascade,
  address text not null constraint address_uses_folded check (address = lower(address)),
  first_used_at timestamptz not null default certvakt.moment(),
  primary key (person_id, address)
);
comment on table certvakt.address_uses is 'Mail addresses whose links a person has opened, and since when.';

create table certvakt.address_confirmations (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  address text not null constraint address_confirmations_folded check (address = lower(address)),
  administrator_id uuid not null references certvakt.people (id) on delete cascade,
  confirmed_at timestamptz not null default certvakt.moment(),
  issuer text not null,
  proof text not null,
  primary key (organisation_id, person_id, address, administrator_id)
);
comment on table certvakt.address_confirmations is
  'Administrators who say that a mail address is a person''s, for as long as it is one of theirs. Two of them count, fourteen days after the second.';
comment on column certvakt.address_confirmations.issuer is 'Who vouched for the administrator''s login.';
comment on column certvakt.address_confirmations.proof is 'What showed that the login is the administrator''s own.';
create index address_confirmations_person on certvakt.address_confirmations (person_id);
create index address_confirmations_administrator on certvakt.address_confirmations (administrator_id);

create table certvakt.former_addresses (
  id bigint generated always as identity primary key,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  organisation_id uuid references certvakt.organisations (id) on delete cascade,
  address text not null,
  left_at timestamptz not null default now(),
  constraint former_addresses_once unique nulls not distinct (person_id, organisation_id, address)
);
comment on table certvakt.former_addresses is
  'Mail addresses that a register, or the person, has replaced or removed. For ninety days they hear of new logins and confirmations.';
create index former_addresses_organisation on certvakt.former_addresses (organisation_id);

alter table certvakt.letters
  -- squawk-ignore ban-drop-not-null
  alter column contact_point_id drop not null,
  add column address text,
  add constraint letters_to_one check (num_nonnulls(contact_point_id, address) = 1) not valid,
  -- squawk-ignore ban-drop-constraint
  drop constraint letters_kind_known,
  add constraint letters_kind_known check (
    kind in ('link', 'invitation', 'alert', 'address-removed', 'address-added', 'address-confirmed', 'new-login')) not valid,
  -- squawk-ignore ban-drop-constraint
  drop constraint letters_alert_whole,
  add constraint letters_alert_whole check (
    case kind when 'alert' then num_nulls(alert, organisation_id, number) = 0
    else num_nonnulls(alert, number) = 0 end) not valid;
comment on table certvakt.letters is
  'Mails to be sent or sent: links to sign in with and invitations, which carry a token; alerts, and what happened to a person''s addresses and logins, which do not.';
comment on column certvakt.letters.address is
  'Where it goes, if that need not be a contact point: a notice reaches an address that leaves the register meanwhile.';
comment on column certvakt.letters.organisation_id is 'Whose alert it is, or whose register changed the address.';
-- A person who has asked for a link does not wait for notices.
-- squawk-ignore require-concurrent-index-deletion
drop index certvakt.letters_due;
-- squawk-ignore require-concurrent-index-creation
create index letters_due on certvakt.letters ((kind not in ('link', 'invitation')), mail_due_at, id) where mail_due_at is not null;

-- How a consent was authenticated.
alter table certvakt.listing_consents add column issuer text, add column proof text;
alter table certvakt.listing_consents
  alter column issuer set default nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'iss',
  alter column proof set default nullif(current_setting('certvakt.proof', true), '');
comment on column certvakt.listing_consents.issuer is 'Who vouched for the login that said so; null: no login did.';
comment on column certvakt.listing_consents.proof is
  'What showed that the login is the mentor''s: login, used-address or confirmed-address. Null: nothing, which is enough to withdraw; or the operator said so.';

do $$
declare
  relation text;
begin
  foreach relation in array array['address_uses', 'address_confirmations', 'former_addresses'] loop
    execute format('alter table certvakt.%I enable row level security', relation);
    execute format('alter table certvakt.%I force row level security', relation);
    execute format('revoke all on certvakt.%I from public, anon, authenticated, service_role', relation);
    execute format('grant select on certvakt.%I to certvakt_worker, certvakt_definer', relation);
    execute format('create policy worker_reads on certvakt.%I for select to certvakt_worker using (true)', relation);
    execute format('create policy definer_keeps on certvakt.%I to certvakt_definer using (true) with check (true)', relation);
    -- To erase somebody.
    execute format('grant select (person_id), delete on certvakt.%I to certvakt_registrar', relation);
    execute format('create policy registrar_erases on certvakt.%I to certvakt_registrar using (true) with check (false)', relation);
  end loop;
end
$$;
grant insert (organisation_id, person_id, address, administrator_id, issuer, proof), delete
  on certvakt.address_confirmations to certvakt_definer;
grant insert (person_id, organisation_id, address), update (left_at) on certvakt.former_addresses to certvakt_definer;
grant execute on function certvakt.moment() to certvakt_doorkeeper;
grant select (rehearsal) on certvakt.installation to certvakt_doorkeeper;
create policy doorkeeper_reads on certvakt.installation for select to certvakt_doorkeeper using (true);
grant select, insert (person_id, address) on certvakt.address_uses to certvakt_doorkeeper;
create policy doorkeeper_adds on certvakt.address_uses to certvakt_doorkeeper using (true) with check (true);
grant select (left_at), delete on certvakt.former_addresses to certvakt_doorkeeper;
create policy doorkeeper_forgets on certvakt.former_addresses to certvakt_doorkeeper using (true) with check (false);
grant insert (address), select (id, address) on certvakt.sessions to certvakt_doorkeeper;
grant select (address), insert (address) on certvakt.letters to certvakt_doorkeeper;
-- For an export.
grant select (address) on certvakt.letters, certvakt.identities, certvakt.invitations to certvakt_worker;
grant insert (address) on certvakt.invitations to certvakt_doorkeeper;
drop policy doorkeeper_keeps on certvakt.invitations;
create policy doorkeeper_keeps on certvakt.invitations to certvakt_doorkeeper using (true) with check (address is not null);
grant select on certvakt.sessions to certvakt_definer;
create policy definer_reads on certvakt.sessions for select to certvakt_definer using (true);
grant select (id, created_at, erased_at) on certvakt.people to certvakt_definer;
grant insert (address, organisation_id) on certvakt.letters to certvakt_definer;
drop policy definer_invites on certvakt.letters;
create policy definer_writes on certvakt.letters to certvakt_definer
  using (true) with check (kind in ('invitation', 'address-removed', 'address-added', 'address-confirmed', 'new-login'));

create function certvakt.is_first_address(organisation uuid, person uuid, address text) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select exists (
    select from certvakt.contact_points k join certvakt.people p on p.id = k.person_id
    where k.person_id = is_first_address.person and k.kind = 'email'
      and (k.organisation_id is null or k.organisation_id = is_first_address.organisation)
      and lower(k.address) = lower(is_first_address.address) and k.created_at <= p.created_at);
end;
comment on function certvakt.is_first_address is
  'Whether an organisation, or the person, gave a mail address when the person was first recorded: nobody has put it in the place of another.';

create function certvakt.is_confirmed_address(organisation uuid, person uuid, address text) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select count(*) >= 2 and bool_or(counted.number = 2 and counted.confirmed_at <= certvakt.moment() - interval '14 days')
  from (
    select a.confirmed_at, row_number() over (order by a.confirmed_at, a.administrator_id) as number
    from certvakt.address_confirmations a
    where a.organisation_id = is_confirmed_address.organisation and a.person_id = is_confirmed_address.person
      and a.address = lower(is_confirmed_address.address)
      -- A dismissed administrator vouches for nobody.
      and exists (
        select from certvakt.memberships m
        where m.person_id = a.administrator_id and m.organisation_id = a.organisation_id and m.role = 'org_admin')
  ) counted;
end;
comment on function certvakt.is_confirmed_address is
  'Whether two administrators of an organisation have confirmed a mail address, the second of them at least fourteen days ago.';

create function certvakt.proof_of_person(organisation uuid) returns text
language plpgsql stable security definer set search_path = '' as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  is_link boolean := claims ->> 'iss' = 'urn:certvakt:link';
  person uuid := certvakt.current_person();
  came_by text;
  is_first boolean;
begin
  if is_link then
    select s.address into came_by from certvakt.sessions s
    where s.id::text = claims ->> 'sid' and s.issuer = claims ->> 'iss' and s.subject = claims ->> 'sub';
    if came_by is null then
      return null;
    end if;
  else
    select i.address into came_by from certvakt.identities i
    where i.issuer = claims ->> 'iss' and i.subject = claims ->> 'sub';
    if came_by is null then
      return 'login';
    end if;
  end if;
  is_first := certvakt.is_first_address(organisation, person, came_by);
  if is_first and not is_link then
    return 'login';
  end if;
  if is_first and exists (
    select from certvakt.address_uses u
    where u.person_id = person and u.address = lower(came_by) and u.first_used_at <= certvakt.moment() - interval '14 days') then
    return 'used-address';
  end if;
  if certvakt.is_confirmed_address(organisation, person, came_by) then
    return 'confirmed-address';
  end if;
  return null;
end
$$;
comment on function certvakt.proof_of_person is
  'What shows an organisation that the caller''s login is the person''s own: login, used-address, or confirmed-address; null: nothing yet.';

create function certvakt.tell_person(person uuid, organisation uuid, kind text, but text default null) returns void
language sql security definer set search_path = ''
begin atomic
  insert into certvakt.letters (kind, person_id, organisation_id, address, good_for)
  select distinct on (lower(known.address)) tell_person.kind, tell_person.person, tell_person.organisation, known.address,
    interval '14 days'
  from (
    select k.organisation_id, k.address from certvakt.contact_points k
    where k.person_id = tell_person.person and k.kind = 'email'
    union all
    -- The oldest are the least likely to have been put there to crowd out the others.
    (select f.organisation_id, f.address from certvakt.former_addresses f
     where f.person_id = tell_person.person order by f.left_at, f.id limit 10)
  ) known
  where (tell_person.organisation is null or known.organisation_id is null or known.organisation_id = tell_person.organisation)
    and lower(known.address) is distinct from lower(tell_person.but)
  order by lower(known.address);
end;
comment on function certvakt.tell_person is
  'Has a person''s mail addresses told what happened, and those that they had in the last ninety days: all of them, or those that an organisation knows and the person''s own; but one.';

create function certvakt.confirm_address(
  organisation uuid, person uuid, address text, out confirmations bigint, out counts_from timestamptz)
language plpgsql security definer set search_path = '' as $$
declare
  administrator uuid := certvakt.current_person();
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  proof text := certvakt.proof_of_person(organisation);
begin
  if not exists (
      select from certvakt.visible_memberships m
      where m.person_id = administrator and m.organisation_id = organisation and m.role = 'org_admin')
    or not exists (
      select from certvakt.visible_memberships m where m.person_id = person and m.organisation_id = organisation)
    or not exists (
      select from certvakt.contact_points k
      where k.person_id = person and k.kind = 'email' and lower(k.address) = lower(confirm_address.address)
        and (k.organisation_id is null or k.organisation_id = organisation))
    -- Nobody vouches for themselves, or for an address of their own.
    or administrator = person or exists (
      select from certvakt.contact_points k
      where k.person_id = administrator and k.kind = 'email' and lower(k.address) = lower(confirm_address.address)) then
    return;
  end if;
  if proof is null then
    raise exception 'nothing shows yet that this sign-in is the administrator''s own'
      using errcode = 'insufficient_privilege', constraint = 'login_unproven',
        hint = 'Sign in with a provider.';
  end if;
  insert into certvakt.address_confirmations (organisation_id, person_id, address, administrator_id, issuer, proof)
  values (organisation, person, lower(confirm_address.address), administrator, claims ->> 'iss', proof)
  on conflict do nothing;
  if found then
    perform certvakt.tell_person(person, organisation, 'address-confirmed', confirm_address.address);
  end if;
  select count(*), (array_agg(a.confirmed_at order by a.confirmed_at, a.administrator_id))[2] + interval '14 days'
  into confirmations, counts_from
  from certvakt.address_confirmations a
  where a.organisation_id = organisation and a.person_id = person and a.address = lower(confirm_address.address)
    and exists (
      select from certvakt.memberships m
      where m.person_id = a.administrator_id and m.organisation_id = a.organisation_id and m.role = 'org_admin');
end
$$;
comment on function certvakt.confirm_address is
  'Records that the caller, an administrator, says that a mail address of a member is theirs: how many have said so, and from when it counts. Null: there is no such member with that address.';

create function certvakt.withdraw_address_confirmations(organisation uuid, person uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (
    select from certvakt.visible_memberships m
    where m.person_id = certvakt.current_person() and m.organisation_id = organisation and m.role = 'org_admin') then
    return false;
  end if;
  delete from certvakt.address_confirmations a
  where a.organisation_id = organisation and a.person_id = person;
  return found;
end
$$;
comment on function certvakt.withdraw_address_confirmations is
  'Takes back what administrators have confirmed of a person''s addresses. Any administrator may object; false: nothing is confirmed.';

create function certvakt.tell_of_changed_addresses() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    with gone as (
      select distinct o.person_id, o.organisation_id, o.address
      from old_rows o join certvakt.people p on p.id = o.person_id and p.erased_at is null
      where o.kind = 'email'
        and (o.organisation_id is null or exists (select from certvakt.organisations g where g.id = o.organisation_id))
        and not exists (
          select from certvakt.contact_points k
          where k.person_id = o.person_id and k.kind = 'email' and lower(k.address) = lower(o.address)
            and k.organisation_id is not distinct from o.organisation_id)
    ),
    unconfirmed as (
      delete from certvakt.address_confirmations a using gone
      where a.person_id = gone.person_id and a.address = lower(gone.address)
        and (gone.organisation_id is null or a.organisation_id = gone.organisation_id)
    ),
    -- Registers that give one person different addresses by turns are not news each time.
    news as (
      select gone.* from gone
      where not exists (
        select from certvakt.former_addresses f
        where f.person_id = gone.person_id and f.organisation_id is not distinct from gone.organisation_id
          and f.address = gone.address)
    ),
    kept as (
      insert into certvakt.former_addresses (person_id, organisation_id, address)
      select person_id, organisation_id, address from gone
      on conflict on constraint former_addresses_once do update set left_at = now()
    )
    insert into certvakt.letters (kind, person_id, organisation_id, address, good_for)
    select 'address-removed', person_id, organisation_id, address, interval '14 days' from news;
  else
    insert into certvakt.letters (kind, person_id, organisation_id, address, good_for)
    select distinct 'address-added', k.person_id, n.organisation_id, k.address, interval '14 days'
    from new_rows n
    join certvakt.people p on p.id = n.person_id and p.created_at < n.created_at
    join certvakt.contact_points k on k.person_id = n.person_id and k.kind = 'email' and k.created_at < n.created_at
      and (n.organisation_id is null or k.organisation_id is null or k.organisation_id = n.organisation_id)
      and lower(k.address) <> lower(n.address)
    where n.kind = 'email' and not exists (
      select from certvakt.former_addresses f
      where f.person_id = n.person_id and f.organisation_id is not distinct from n.organisation_id
        and lower(f.address) = lower(n.address));
  end if;
  return null;
end
$$;
comment on function certvakt.tell_of_changed_addresses is
  'Tells the mail addresses that a person had that one of them is gone, or that there is another. One that comes and goes within ninety days is told of once.';

do $$
declare
  asked text;
begin
  foreach asked in array array['is_first_address(uuid, uuid, text)', 'is_confirmed_address(uuid, uuid, text)', 'proof_of_person(uuid)',
    'tell_person(uuid, uuid, text, text)', 'confirm_address(uuid, uuid, text)', 'withdraw_address_confirmations(uuid, uuid)',
    'tell_of_changed_addresses()'] loop
    execute format('revoke all on function certvakt.%s from public, anon, authenticated, service_role', asked);
    execute format('grant execute on function certvakt.%s to certvakt_definer', asked);
  end loop;
end
$$;
grant execute on function certvakt.confirm_address(uuid, uuid, text), certvakt.withdraw_address_confirmations(uuid, uuid) to authenticated;
grant execute on function certvakt.tell_person(uuid, uuid, text, text) to certvakt_doorkeeper;

create trigger tell_of_removed
  after delete on certvakt.contact_points
  referencing old table as old_rows
  for each statement execute function certvakt.tell_of_changed_addresses();
create trigger tell_of_added
  after insert on certvakt.contact_points
  referencing new table as new_rows
  for each statement execute function certvakt.tell_of_changed_addresses();

alter function certvakt.is_first_address(uuid, uuid, text) owner to certvakt_definer;
alter function certvakt.is_confirmed_address(uuid, uuid, text) owner to certvakt_definer;
alter function certvakt.proof_of_person(uuid) owner to certvakt_definer;
alter function certvakt.tell_person(uuid, uuid, text, text) owner to certvakt_definer;
alter function certvakt.confirm_address(uuid, uuid, text) owner to certvakt_definer;
alter function certvakt.withdraw_address_confirmations(uuid, uuid) owner to certvakt_definer;
alter function certvakt.tell_of_changed_addresses() owner to certvakt_definer;
