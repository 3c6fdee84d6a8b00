-- A contact point belongs to its person, or is what the register of one organisation says of them. What a register says
-- is used for the notices of that organisation only.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Contact points are few, and nobody waits long for what these read.
alter table certvakt.contact_points
  -- squawk-ignore adding-foreign-key-constraint
  add column organisation_id uuid references certvakt.organisations (id) on delete cascade,
  -- squawk-ignore ban-drop-constraint
  drop constraint contact_points_once_a_person,
  -- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
  add constraint contact_points_once unique nulls not distinct (person_id, kind, address, organisation_id),
  add constraint contact_points_installation_own check (installation is null or organisation_id is null) not valid;
comment on column certvakt.contact_points.organisation_id is
  'The organisation whose register says so; null: the person''s own, which its owner alone adds, moves and removes.';
-- squawk-ignore require-concurrent-index-creation
create index contact_points_organisation on certvakt.contact_points (organisation_id);
grant select (organisation_id, created_at) on certvakt.contact_points to certvakt_definer;
grant select (organisation_id) on certvakt.contact_points to certvakt_doorkeeper;

-- What came without an installation came from a register: each organisation of the person keeps it.
set local role certvakt_registrar;
insert into certvakt.contact_points (person_id, organisation_id, kind, address, created_at)
select distinct k.person_id, m.organisation_id, k.kind, k.address, k.created_at
from certvakt.contact_points k join certvakt.memberships m on m.person_id = k.person_id
where k.installation is null and k.organisation_id is null;
delete from certvakt.contact_points k
where k.installation is null and k.organisation_id is null
  and exists (select from certvakt.memberships m where m.person_id = k.person_id);
reset role;

-- Signing in shows what all organisations of a person know. So a register's address opens the door only where no other
-- organisation knew the person before, unless it has the same address.
create function certvakt.opens_the_door(point uuid) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select k.organisation_id is null or not exists (
    select from (
      select m.organisation_id, m.created_at from certvakt.memberships m where m.person_id = k.person_id
      union all
      select c.organisation_id, c.created_at from public.peer_mentor_certifications c where c.peer_mentor_id = k.person_id
    ) known
    where known.organisation_id <> k.organisation_id and known.created_at <= k.created_at
      and not exists (
        select from certvakt.contact_points same
        where same.person_id = k.person_id and same.kind = 'email' and lower(same.address) = lower(k.address)
          and (same.organisation_id is null or same.organisation_id = known.organisation_id)))
  from certvakt.contact_points k where k.id = opens_the_door.point;
end;
comment on function certvakt.opens_the_door is
  'Whether a link or an invitation to sign in may go to a mail address: the person''s own, or one of a register that no other organisation, which knew the person before, contradicts.';
revoke all on function certvakt.opens_the_door(uuid) from public, anon, authenticated, service_role;
grant execute on function certvakt.opens_the_door(uuid) to certvakt_definer;
alter function certvakt.opens_the_door(uuid) owner to certvakt_definer;

-- Only their owner may replace functions.
set local role certvakt_definer;
create or replace function certvakt.people_of_address(address text) returns table (person_id uuid, contact_point_id uuid)
language sql stable security definer set search_path = ''
begin atomic
  select distinct on (p.person_id) p.person_id, p.id
  from certvakt.contact_points p
  where p.kind = 'email' and lower(p.address) = lower(people_of_address.address) and certvakt.opens_the_door(p.id)
  order by p.person_id, p.organisation_id nulls first, p.id;
end;

create or replace function certvakt.invite(person uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  visible uuid[] := certvakt.visible_chapters();
  point uuid;
begin
  select p.id into point from certvakt.contact_points p
  where p.person_id = invite.person and p.kind = 'email'
    and exists (
      select from certvakt.memberships m
      where m.person_id = invite.person and m.chapter_id = any (visible)
        and (p.organisation_id is null or p.organisation_id = m.organisation_id))
    and certvakt.opens_the_door(p.id)
  order by p.organisation_id nulls first, p.id limit 1;
  if point is null then
    return false;
  end if;
  insert into certvakt.letters (kind, person_id, contact_point_id, requested_by, good_for)
  select 'invitation', invite.person, point, certvakt.current_person(), interval '14 days'
  where not exists (
    select from certvakt.letters l
    where l.contact_point_id = point and l.kind = 'invitation' and l.requested_at > now() - interval '10 minutes');
  return true;
end
$$;

-- A device moves by what its owner does on it.
create or replace function certvakt.keep_device(installation text, token text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
begin
  if person is null then
    raise exception 'nobody we know has signed in' using errcode = 'insufficient_privilege';
  end if;
  if exists (
    select from certvakt.contact_points p
    where p.installation = keep_device.installation and p.person_id <> person and p.address <> keep_device.token) then
    raise exception 'this installation is another person''s'
      using errcode = 'restrict_violation', constraint = 'installation_of_another',
        hint = 'Give the token that the device has now, or name the installation anew.';
  end if;
  delete from certvakt.contact_points p
  where p.kind = 'push' and (p.installation = keep_device.installation or p.address = keep_device.token);
  insert into certvakt.contact_points (person_id, kind, address, installation)
  values (person, 'push', keep_device.token, keep_device.installation);
end
$$;
comment on function certvakt.keep_device is
  'Gives the caller the device of an installation of the app, under its present token. Another person''s device moves only with the token that it has now.';
reset role;

create or replace view certvakt.administrators with (security_invoker = true) as
select distinct on (m.organisation_id, m.person_id) m.organisation_id, m.person_id, k.id as contact_point_id
from certvakt.memberships m
join certvakt.contact_points k on k.person_id = m.person_id and k.kind = 'email'
  and (k.organisation_id is null or k.organisation_id = m.organisation_id)
where m.role = 'org_admin'
order by m.organisation_id, m.person_id, k.organisation_id nulls first, k.id;
