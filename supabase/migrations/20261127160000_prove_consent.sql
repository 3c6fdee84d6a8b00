-- A mentor consents to being listed, and nobody else in their name. An administrator decides which mail address a
-- register gives, so a login that came by such an address proves its person only if the address did not come later, or if
-- two administrators have confirmed it and nobody objected.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- The tables that this file alters are small, and nobody waits long for what it reads.
alter table certvakt.invitations add column address text;
comment on column certvakt.invitations.address is 'The address that it was mailed to; null: the operator handed it over.';
alter table certvakt.identities add column unproven_address text;
comment on column certvakt.identities.unproven_address is
  'The address of the invitation that the login accepted, if that address came later than the person; null: nothing speaks against the login.';
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
  primary key (organisation_id, person_id, address, administrator_id)
);
comment on table certvakt.address_confirmations is
  'Administrators who say that a mail address is a person''s. Two of them count, fourteen days after the first.';
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
    kind in ('link', 'invitation', 'alert', 'address-changed', 'address-confirmed', 'new-login')) not valid,
  -- squawk-ignore ban-drop-constraint
  drop constraint letters_alert_whole,
  add constraint letters_alert_whole check (
    case kind when 'alert' then num_nulls(alert, organisation_id, number) = 0
    else num_nonnulls(alert, number) = 0 end) not valid;
comment on table certvakt.letters is
  'Mails to be sent or sent: links to sign in with and invitations, which carry a token; alerts, and what happened to a person''s addresses and logins, which do not.';
comment on column certvakt.letters.address is 'Where it goes, if that is no contact point any more.';
comment on column certvakt.letters.organisation_id is 'Whose alert it is, or whose register changed the address.';

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
grant insert (organisation_id, person_id, address, administrator_id), delete on certvakt.address_confirmations to certvakt_definer;
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
grant insert (address) on certvakt.invitations to certvakt_doorkeeper;
grant select on certvakt.sessions to certvakt_definer;
create policy definer_reads on certvakt.sessions for select to certvakt_definer using (true);
grant select (id, created_at, erased_at) on certvakt.people to certvakt_definer;
grant insert (address, organisation_id) on certvakt.letters to certvakt_definer;
drop policy definer_invites on certvakt.letters;
create policy definer_writes on certvakt.letters to certvakt_definer
  using (true) with check (kind in ('invitation', 'address-changed', 'address-confirmed', 'new-login'));

create function certvakt.is_first_address(person uuid, address text) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  -- An invitation that the operator handed over has no address.
  select is_first_address.address is null or exists (
    select from certvakt.contact_points k join certvakt.people p on p.id = k.person_id
    where k.person_id = is_first_address.person and k.kind = 'email'
      and lower(k.address) = lower(is_first_address.address) and k.created_at <= p.created_at);
end;
comment on function certvakt.is_first_address is
  'Whether a mail address was known as soon as the person was: nobody has put it in the place of another.';

create function certvakt.proof_of_person(organisation uuid) returns text
language plpgsql stable security definer set search_path = '' as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  is_link boolean := claims ->> 'iss' = 'urn:certvakt:link';
  person uuid := certvakt.current_person();
  came_by text;
begin
  if is_link then
    select lower(s.address) into came_by from certvakt.sessions s
    where s.id = (claims ->> 'sid')::uuid and s.issuer = claims ->> 'iss' and s.subject = claims ->> 'sub';
    if came_by is null then
      return null;
    end if;
  else
    select lower(i.unproven_address) into came_by from certvakt.identities i
    where i.issuer = claims ->> 'iss' and i.subject = claims ->> 'sub';
    if came_by is null then
      return 'login';
    end if;
  end if;
  if is_link and certvakt.is_first_address(person, came_by) and exists (
    select from certvakt.address_uses u
    where u.person_id = person and u.address = came_by and u.first_used_at <= certvakt.moment() - interval '14 days') then
    return 'used-address';
  end if;
  if (
    select count(*) >= 2 and min(a.confirmed_at) <= certvakt.moment() - interval '14 days'
    from certvakt.address_confirmations a
    where a.organisation_id = proof_of_person.organisation and a.person_id = person and a.address = came_by) then
    return 'confirmed-address';
  end if;
  return null;
end
$$;
comment on function certvakt.proof_of_person is
  'What shows that the caller''s login is the person''s own: login, used-address, or confirmed-address as two administrators of an organisation said; null: nothing yet.';

create function certvakt.tell_person(person uuid, kind text, but text default null) returns void
language sql security definer set search_path = ''
begin atomic
  with present as (
    select distinct on (lower(k.address)) k.id, lower(k.address) as address
    from certvakt.contact_points k
    where k.person_id = tell_person.person and k.kind = 'email'
    order by lower(k.address), k.organisation_id nulls first, k.id
  ),
  former as (
    select distinct lower(f.address) as address from certvakt.former_addresses f
    where f.person_id = tell_person.person and not exists (select from present p where p.address = lower(f.address))
  )
  insert into certvakt.letters (kind, person_id, contact_point_id, address, good_for)
  select tell_person.kind, tell_person.person, told.id, case when told.id is null then told.address end, interval '14 days'
  from (select id, address from present union all select null, address from former) told
  where told.address is distinct from lower(tell_person.but);
end;
comment on function certvakt.tell_person is
  'Has every mail address of a person told what happened, and those that they had in the last ninety days, but one.';

create function certvakt.confirm_address(organisation uuid, person uuid, out confirmations bigint, out counts_from timestamptz)
language plpgsql security definer set search_path = '' as $$
declare
  administrator uuid := certvakt.current_person();
  confirmed text;
begin
  -- Nobody vouches for themselves.
  if administrator = person or not exists (
      select from certvakt.visible_memberships m
      where m.person_id = administrator and m.organisation_id = organisation and m.role = 'org_admin')
    or not exists (
      select from certvakt.visible_memberships m where m.person_id = person and m.organisation_id = organisation) then
    return;
  end if;
  for confirmed in
    select distinct lower(k.address) from certvakt.contact_points k
    where k.person_id = person and k.kind = 'email' and (k.organisation_id is null or k.organisation_id = organisation)
  loop
    if not exists (
      select from certvakt.address_confirmations a
      where a.organisation_id = organisation and a.person_id = person and a.address = confirmed) then
      perform certvakt.tell_person(person, 'address-confirmed', confirmed);
    end if;
    insert into certvakt.address_confirmations (organisation_id, person_id, address, administrator_id)
    values (organisation, person, confirmed, administrator) on conflict do nothing;
  end loop;
  -- The address with the fewest of several speaks for all.
  select min(each.number), case when min(each.number) >= 2 then max(each.first) + interval '14 days' end
  into confirmations, counts_from
  from (
    select count(*) as number, min(a.confirmed_at) as first from certvakt.address_confirmations a
    where a.organisation_id = organisation and a.person_id = person and exists (
      select from certvakt.contact_points k
      where k.person_id = person and k.kind = 'email' and lower(k.address) = a.address
        and (k.organisation_id is null or k.organisation_id = organisation))
    group by a.address) each;
end
$$;
comment on function certvakt.confirm_address is
  'Records that the caller, an administrator, says that the mail address of a member is theirs: how many have said so, and from when it counts. Null: there is no such member with an address.';

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
      where o.kind = 'email' and not exists (
        select from certvakt.contact_points k
        where k.person_id = o.person_id and k.kind = 'email' and lower(k.address) = lower(o.address)
          and k.organisation_id is not distinct from o.organisation_id)
    ),
    kept as (
      insert into certvakt.former_addresses as f (person_id, organisation_id, address)
      select person_id, organisation_id, address from gone
      on conflict on constraint former_addresses_once do update set left_at = now()
    )
    insert into certvakt.letters (kind, person_id, organisation_id, address, good_for)
    select 'address-changed', person_id, organisation_id, address, interval '14 days' from gone;
  else
    -- One more address beside those that were there before.
    insert into certvakt.letters (kind, person_id, organisation_id, contact_point_id, good_for)
    select distinct 'address-changed', k.person_id, n.organisation_id, k.id, interval '14 days'
    from new_rows n
    join certvakt.people p on p.id = n.person_id and p.created_at < n.created_at
    join certvakt.contact_points k on k.person_id = n.person_id and k.kind = 'email' and k.created_at < n.created_at
      and (n.organisation_id is null or k.organisation_id is null or k.organisation_id = n.organisation_id)
      and lower(k.address) <> lower(n.address)
    where n.kind = 'email';
  end if;
  return null;
end
$$;
comment on function certvakt.tell_of_changed_addresses is
  'Tells the mail addresses that a person had that one of them is gone, or that there is another.';

create function certvakt.tell_of_new_logins() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- A login by a link is told of with its first session.
  perform certvakt.tell_person(n.person_id, 'new-login', n.unproven_address)
  from new_rows n where n.issuer <> 'urn:certvakt:link';
  return null;
end
$$;
comment on function certvakt.tell_of_new_logins is 'Tells every mail address of a person that a provider''s login is theirs from now on.';

do $$
declare
  asked text;
begin
  foreach asked in array array['is_first_address(uuid, text)', 'proof_of_person(uuid)', 'tell_person(uuid, text, text)',
    'confirm_address(uuid, uuid)', 'withdraw_address_confirmations(uuid, uuid)', 'tell_of_changed_addresses()',
    'tell_of_new_logins()'] loop
    execute format('revoke all on function certvakt.%s from public, anon, authenticated, service_role', asked);
    execute format('grant execute on function certvakt.%s to certvakt_definer', asked);
  end loop;
end
$$;
grant execute on function certvakt.confirm_address(uuid, uuid), certvakt.withdraw_address_confirmations(uuid, uuid) to authenticated;
grant execute on function certvakt.tell_person(uuid, text, text) to certvakt_doorkeeper;

create trigger tell_of_removed
  after delete on certvakt.contact_points
  referencing old table as old_rows
  for each statement execute function certvakt.tell_of_changed_addresses();
create trigger tell_of_added
  after insert on certvakt.contact_points
  referencing new table as new_rows
  for each statement execute function certvakt.tell_of_changed_addresses();
create trigger tell_of_new
  after insert on certvakt.identities
  referencing new table as new_rows
  for each statement execute function certvakt.tell_of_new_logins();

alter function certvakt.is_first_address(uuid, text) owner to certvakt_definer;
alter function certvakt.proof_of_person(uuid) owner to certvakt_definer;
alter function certvakt.tell_person(uuid, text, text) owner to certvakt_definer;
alter function certvakt.confirm_address(uuid, uuid) owner to certvakt_definer;
alter function certvakt.withdraw_address_confirmations(uuid, uuid) owner to certvakt_definer;
alter function certvakt.tell_of_changed_addresses() owner to certvakt_definer;
alter function certvakt.tell_of_new_logins() owner to certvakt_definer;
