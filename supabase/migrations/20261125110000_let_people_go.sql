-- A person's rights: to have what is stored of them (GDPR articles 15 and 20), and to have it erased
-- (article 17), while the record of what was certified and told stays, and can be verified.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Whoever was erased stays as an id, which histories and notices hold.
alter table certvakt.people add column erased_at timestamptz,
  add constraint people_erased_whole check (erased_at is null or (name is null and locale is null)) not valid;
comment on column certvakt.people.erased_at is 'When what was known of the person was erased; their id stays.';
grant select (erased_at) on certvakt.people to authenticated, certvakt_definer;

create function certvakt.refuse_erased() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from certvakt.people p where p.id = new.peer_mentor_id and p.erased_at is not null) then
    raise exception 'the person was erased: nothing of theirs begins again'
      using errcode = 'restrict_violation', constraint = 'person_erased',
        hint = 'Whoever comes back is a new person, with an id of their own.';
  end if;
  return new;
end
$$;
revoke all on function certvakt.refuse_erased() from public, anon, authenticated, service_role;
create trigger b_refuse_erased before update of status, expires_at on public.peer_mentor_certifications
  for each row when (old.status = 'suspended' and (new.status <> 'suspended' or new.expires_at is distinct from old.expires_at))
  execute function certvakt.refuse_erased();
alter function certvakt.refuse_erased() owner to certvakt_definer;

-- Nor does anything new: asked when it is there, so that what waited for the erasure is seen as well.
-- squawk-ignore require-concurrent-index-creation
create index people_erased on certvakt.people (erased_at) where erased_at is not null;
create function certvakt.refuse_new_of_erased() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  is_erased boolean;
begin
  -- The column that holds the person is the trigger's argument.
  execute format('select exists (select from certvakt.people p
    where p.erased_at is not null and p.id in (select n.%I from new_rows n))', tg_argv[0]) into is_erased;
  if is_erased then
    raise exception 'the person was erased: nothing of theirs begins again'
      using errcode = 'restrict_violation', constraint = 'person_erased',
        hint = 'Whoever comes back is a new person, with an id of their own.';
  end if;
  return null;
end
$$;
revoke all on function certvakt.refuse_new_of_erased() from public, anon, authenticated, service_role;
do $$
declare
  kept text[];
begin
  foreach kept slice 1 in array array[
    ['certvakt.contact_points', 'person_id'], ['certvakt.memberships', 'person_id'], ['certvakt.identities', 'person_id'],
    ['certvakt.invitations', 'person_id'], ['public.peer_mentor_certifications', 'peer_mentor_id']
  ] loop
    execute format('create trigger refuse_erased after insert on %s referencing new table as new_rows
      for each statement execute function certvakt.refuse_new_of_erased(%L)', kept[1], kept[2]);
  end loop;
end
$$;
alter function certvakt.refuse_new_of_erased() owner to certvakt_definer;

-- What withdrawn means, in one place.
create function certvakt.is_withdrawn(status text, history jsonb) returns boolean
language sql immutable parallel safe
return status = 'suspended' and coalesce(history -> -1 ->> 'kind' = 'withdrawn', false);
comment on function certvakt.is_withdrawn is
  'Whether a certification of that status and history was withdrawn: suspended, and the last entry says so.';
revoke all on function certvakt.is_withdrawn(text, jsonb) from public, anon, service_role;
grant execute on function certvakt.is_withdrawn(text, jsonb) to certvakt_registrar, authenticated;

-- A register that still has somebody who was erased does not bring them back.
create table certvakt.erased_register_ids (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  digest bytea not null constraint erased_register_ids_digest_form check (length(digest) = 32),
  erased_at timestamptz not null default now(),
  primary key (organisation_id, digest)
);
comment on table certvakt.erased_register_ids is
  'The ids that erased people had in registers, as certvakt.register_id_digest gives them.';
alter table certvakt.erased_register_ids enable row level security;
alter table certvakt.erased_register_ids force row level security;
revoke all on certvakt.erased_register_ids from public, anon, authenticated, service_role;
grant select, insert, delete on certvakt.erased_register_ids to certvakt_registrar;
create policy registrar_keeps on certvakt.erased_register_ids to certvakt_registrar using (true) with check (true);
create function certvakt.register_id_digest(organisation uuid, external_id text) returns bytea
language sql immutable strict parallel safe
return sha256(convert_to(organisation::text || '|' || external_id, 'UTF8'));
comment on function certvakt.register_id_digest is
  'SHA-256 of an organisation''s id and an id in its register: enough to know one again that is given, no more.';
revoke all on function certvakt.register_id_digest(uuid, text) from public, anon, authenticated, service_role;
grant execute on function certvakt.register_id_digest(uuid, text) to certvakt_registrar;

-- What the registrar, who keeps people, needs to erase one.
grant select (issuer, subject), delete on certvakt.sessions to certvakt_registrar;
grant select (person_id, requested_by), update (requested_by), delete on certvakt.letters to certvakt_registrar;
grant delete on certvakt.invitations to certvakt_registrar;
grant select (person_id, answer) on certvakt.idempotency_keys to certvakt_registrar;
grant update (person_id) on certvakt.uploads to certvakt_registrar;
grant select (id, recipient_id) on public.cert_notification_log to certvakt_registrar;
grant select (id, finished_at), update (state, reason, finished_at, available_at, lease_token, lease_until)
  on certvakt.deliveries to certvakt_registrar;
create policy registrar_erases on certvakt.sessions to certvakt_registrar using (true) with check (false);
create policy registrar_erases on certvakt.letters to certvakt_registrar using (true) with check (requested_by is null);
create policy registrar_reads on public.cert_notification_log for select to certvakt_registrar using (true);
create policy registrar_ends on certvakt.deliveries to certvakt_registrar using (true) with check (state = 'cancelled');

-- What the worker, who reads for whoever operates the service, needs to show all that there is of one.
grant select (issuer, subject, created_at, seen_at, expires_at) on certvakt.sessions to certvakt_worker;
grant select (kind, person_id, requested_at, mailed_at, used_at) on certvakt.letters to certvakt_worker;
grant select (person_id, created_at, expires_at, used_at) on certvakt.invitations to certvakt_worker;
grant select (person_id, organisation_id, state, created_at, finished_at) on certvakt.uploads to certvakt_worker;
grant select (person_id, answer) on certvakt.idempotency_keys to certvakt_worker;
create policy worker_reads on certvakt.sessions for select to certvakt_worker using (true);
create policy worker_reads on certvakt.letters for select to certvakt_worker using (true);
create policy worker_reads on certvakt.invitations for select to certvakt_worker using (true);
create policy worker_reads on certvakt.uploads for select to certvakt_worker using (true);
create policy worker_reads on certvakt.idempotency_keys for select to certvakt_worker using (true);
