-- What is asked about ids tells nothing of an organisation that the caller does not see, and no caller takes a number of
-- the record of access.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- A number without an event is an event that was lost, so only the server takes one: as the worker, before the
-- transaction becomes the caller's.
revoke usage on sequence certvakt.access_numbers from authenticated;
grant usage on sequence certvakt.access_numbers to certvakt_definer;
create or replace function certvakt.admission(
  out person_id uuid, out organisations uuid[], out is_closed boolean, out number bigint, out is_administrator boolean)
language plpgsql security definer set search_path = '' as $$
begin
  person_id := certvakt.current_person();
  organisations := certvakt.current_organisations();
  is_closed := coalesce(certvakt.closed_organisations('certifications') && organisations, true);
  if person_id is not null then
    number := nextval('certvakt.access_numbers');
  end if;
  is_administrator := exists (
    select from certvakt.visible_memberships m where m.person_id = admission.person_id and m.role = 'org_admin');
end
$$;
comment on function certvakt.admission is
  'Who is asking, where they belong, whether their access is closed, the number of what is recorded of it, and whether they administer an organisation.';
revoke all on function certvakt.admission() from public, anon, authenticated, service_role;
grant execute on function certvakt.admission() to certvakt_worker;
alter function certvakt.admission() owner to certvakt_definer;

-- An id that the caller chose is compared with the ids of the same certification only.
alter table certvakt.renewal_words
  -- squawk-ignore ban-drop-constraint
  drop constraint renewal_words_pkey,
  -- squawk-ignore adding-serial-primary-key-field, constraint-missing-not-valid
  add constraint renewal_words_pkey primary key (certification_id, entry_id);
-- The primary key begins with it now.
-- squawk-ignore require-concurrent-index-deletion
drop index certvakt.renewal_words_certification;

-- Only its owner may replace a function.
set local role certvakt_definer;
create or replace function certvakt.is_made(certification uuid, entry text) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select case
    -- The role of the transaction: the registrar keeps every certification.
    when current_setting('role') = 'certvakt_registrar' then exists (
      select from public.peer_mentor_certifications c
      where c.id = certification
        and certvakt.entries_of(c.id, c.renewal_history) @> jsonb_build_array(jsonb_build_object('id', entry)))
    else exists (select from certvakt.history_of(certification) h where h.entry ->> 'id' = is_made.entry)
  end;
end;
comment on function certvakt.is_made is
  'Whether the history of a certification has an entry of that id: whether a request that made it came before. False for one that the caller may not see.';
reset role;

-- What was stored before keeps to the check as well.
alter table certvakt.contact_points validate constraint contact_points_installation_own;
