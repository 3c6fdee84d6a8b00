-- How a login becomes a person, and the devices of the app.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.invitations (
  id uuid primary key default certvakt.uuid_v7(),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  token_hash bytea not null constraint invitations_token_hash_unique unique
    constraint invitations_token_hash_form check (length(token_hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '14 days',
  used_at timestamptz
);
comment on table certvakt.invitations is 'A login that accepts one becomes its person. Each is good once, and for fourteen days.';
comment on column certvakt.invitations.token_hash is 'SHA-256 of the token, which nobody keeps but the person invited.';
create index invitations_person on certvakt.invitations (person_id);

alter table certvakt.invitations enable row level security;
alter table certvakt.invitations force row level security;
revoke all on certvakt.invitations from public, anon, authenticated, service_role;
-- Whoever holds the token becomes the person, so no coordinator ever holds one: the service makes it and
-- hands it to nobody but the person or the operator.
grant select, insert on certvakt.invitations to certvakt_registrar;
create policy registrar_invites on certvakt.invitations to certvakt_registrar using (true) with check (true);
grant select, update (used_at) on certvakt.invitations to certvakt_definer;
create policy definer_keeps on certvakt.invitations to certvakt_definer using (true) with check (true);
grant insert on certvakt.identities to certvakt_definer;
create policy definer_adds on certvakt.identities for insert to certvakt_definer with check (true);

create function certvakt.accept_invitation(token text) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  invited uuid;
  mailed_to text;
begin
  if claims ->> 'iss' is null or claims ->> 'sub' is null then
    raise exception 'nobody has signed in' using errcode = 'insufficient_privilege';
  end if;
  update certvakt.invitations i set used_at = now()
  where i.token_hash = sha256(convert_to(accept_invitation.token, 'UTF8'))
    and i.used_at is null and i.expires_at > now()
  returning i.person_id, i.address into invited, mailed_to;
  -- Sent again by the login that accepted it: it is so already.
  if invited is null and exists (
    select from certvakt.invitations i
    where i.token_hash = sha256(convert_to(accept_invitation.token, 'UTF8')) and i.used_at is not null
      and i.person_id = certvakt.current_person()) then
    return certvakt.current_person();
  end if;
  if invited is null then
    raise exception 'the invitation is unknown, used or expired' using errcode = 'no_data_found';
  end if;
  if invited = certvakt.current_person() then
    return invited;
  end if;
  insert into certvakt.identities (issuer, subject, person_id, address)
  values (claims ->> 'iss', claims ->> 'sub', invited, mailed_to);
  perform certvakt.tell_person(invited, null, 'new-login', mailed_to);
  return invited;
exception when unique_violation then
  raise exception 'this login is somebody already' using errcode = 'unique_violation';
end
$$;
comment on function certvakt.accept_invitation is
  'Makes the login that is asking the person invited. The token is good once, and for fourteen days.';

-- Who signs in on a device takes it over, and its token with it.
grant execute on function certvakt.uuid_v7() to certvakt_definer;
grant select (id, person_id, kind, address, installation), insert (person_id, kind, address, installation), delete
  on certvakt.contact_points to certvakt_definer;
-- Whether somebody has a mail address to be invited at is read; devices alone are kept.
create policy definer_reads on certvakt.contact_points for select to certvakt_definer using (true);
create policy definer_adds_devices on certvakt.contact_points for insert to certvakt_definer with check (kind = 'push');
create policy definer_removes_devices on certvakt.contact_points for delete to certvakt_definer using (kind = 'push');

create function certvakt.keep_device(installation text, token text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
begin
  if person is null then
    raise exception 'nobody we know has signed in' using errcode = 'insufficient_privilege';
  end if;
  delete from certvakt.contact_points p
  where p.kind = 'push' and (p.installation = keep_device.installation or p.address = keep_device.token);
  insert into certvakt.contact_points (person_id, kind, address, installation)
  values (person, 'push', keep_device.token, keep_device.installation);
end
$$;
comment on function certvakt.keep_device is
  'Gives who is asking the device of an installation of the app, under its present token; whoever had it has it no longer.';

create function certvakt.remove_device(installation text) returns void
language sql security definer set search_path = ''
begin atomic
  delete from certvakt.contact_points p
  where p.installation = remove_device.installation and p.person_id = (select certvakt.current_person());
end;
comment on function certvakt.remove_device is 'Takes a device away from who is asking; one that is not theirs stays.';

do $$
declare
  asked text;
begin
  foreach asked in array array['accept_invitation(text)', 'keep_device(text, text)', 'remove_device(text)'] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
    execute format('alter function certvakt.%s owner to certvakt_definer', asked);
  end loop;
end
$$;
