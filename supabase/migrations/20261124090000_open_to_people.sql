-- What people may see and do, whichever way they come: the API, the pages, Supabase's own REST.
--
-- Policies ask four functions who is asking, each once a statement, as (select certvakt.…()), and one view
-- who belongs where. An app with a hierarchy of its own replaces these five, and nothing else
-- (docs/supabase.md); what they promise stands in their comments. The functions are written in PL/pgSQL
-- because that keeps their plans.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

grant usage on schema certvakt to authenticated;
grant select on certvakt.identities, certvakt.memberships, public.peer_mentor_certifications to certvakt_definer;
create policy definer_reads on certvakt.identities for select to certvakt_definer using (true);
create policy definer_reads on certvakt.memberships for select to certvakt_definer using (true);
create policy definer_reads on public.peer_mentor_certifications for select to certvakt_definer using (true);

-- A database of the locale C knows no other letters than those of ASCII, and not every server has ICU.
create function certvakt.folded(name text) returns text
language sql immutable strict parallel safe
return translate(lower(name collate "C"),
  'ÆØÅÄÖÜÁÀÂČĆĐÉÈÊËÍÎÏŊÑÓÒÔŠŚŦÚÙÛÝŽŹŁÇÐÞ', 'æøåäöüáàâčćđéèêëíîïŋñóòôšśŧúùûýžźłçðþ');
comment on function certvakt.folded is 'A name in small letters, for looking it up: those of Norwegian, the Sámi languages and their neighbours.';
revoke all on function certvakt.folded(text) from public, anon, service_role;
grant execute on function certvakt.folded(text) to authenticated;

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
  'The person who is asking, by the claims iss and sub of their token; null: nobody we know.';

create function certvakt.current_organisations() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
begin
  return array(
    select m.organisation_id from certvakt.memberships m where m.person_id = person
    union
    select c.organisation_id from public.peer_mentor_certifications c where c.peer_mentor_id = person);
end
$$;
comment on function certvakt.current_organisations is
  'The organisations of which who is asking is a member, in whatever role, or which certified them. Never null.';

create function certvakt.visible_chapters() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
begin
  return array(
    with recursive coordinated as (
      select m.organisation_id, m.chapter_id
      from certvakt.memberships m where m.person_id = person and m.role = 'coordinator'
      union
      select c.organisation_id, c.id
      from certvakt.chapters c
      join coordinated above on above.organisation_id = c.organisation_id and above.chapter_id = c.parent_id
    )
    select coordinated.chapter_id from coordinated
    union all
    select c.id from certvakt.memberships m join certvakt.chapters c on c.organisation_id = m.organisation_id
    where m.person_id = person and m.role = 'org_admin');
end
$$;
comment on function certvakt.visible_chapters is
  'The chapters whose certifications who is asking may see and keep: those they coordinate and all below, and every one of an organisation that they administer. Never null.';

-- Few mentors belong to several chapters of the organisation that certified them. Which certifications are
-- visible for it is kept here, so that nobody has to look through all members of their chapters.
create table certvakt.certifications_elsewhere (
  chapter_id uuid not null,
  certification_id uuid not null references public.peer_mentor_certifications (id) on delete cascade,
  person_id uuid not null,
  role text not null default 'mentor' constraint certifications_elsewhere_of_mentor check (role = 'mentor'),
  primary key (chapter_id, certification_id),
  constraint certifications_elsewhere_while_member
    foreign key (person_id, chapter_id, role) references certvakt.memberships (person_id, chapter_id, role) on delete cascade
);
comment on table certvakt.certifications_elsewhere is
  'Certifications whose mentors belong to another chapter of the organisation that certified them: that chapter.';
create index certifications_elsewhere_certification on certvakt.certifications_elsewhere (certification_id);
create index certifications_elsewhere_membership on certvakt.certifications_elsewhere (person_id, chapter_id, role);
alter table certvakt.certifications_elsewhere enable row level security;
alter table certvakt.certifications_elsewhere force row level security;
revoke all on certvakt.certifications_elsewhere from public, anon, authenticated, service_role;
grant select, insert, delete on certvakt.certifications_elsewhere to certvakt_definer;
create policy definer_keeps on certvakt.certifications_elsewhere to certvakt_definer using (true) with check (true);
-- A membership begins and ends; it does not turn into another.
revoke update on certvakt.memberships from certvakt_registrar;

create function certvakt.keep_elsewhere_of_certifications() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into certvakt.certifications_elsewhere (chapter_id, certification_id, person_id)
  select m.chapter_id, n.id, m.person_id
  from new_rows n
  join certvakt.memberships m on m.person_id = n.peer_mentor_id and m.role = 'mentor'
  where m.organisation_id = n.organisation_id and m.chapter_id <> n.chapter_id
  on conflict do nothing;
  return null;
end
$$;
create trigger keep_elsewhere
  after insert on public.peer_mentor_certifications
  referencing new table as new_rows
  for each statement execute function certvakt.keep_elsewhere_of_certifications();

create function certvakt.keep_elsewhere_of_memberships() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into certvakt.certifications_elsewhere (chapter_id, certification_id, person_id)
  select n.chapter_id, c.id, n.person_id
  from new_rows n
  join public.peer_mentor_certifications c on c.peer_mentor_id = n.person_id
  where n.role = 'mentor' and c.organisation_id = n.organisation_id and c.chapter_id <> n.chapter_id
  on conflict do nothing;
  return null;
end
$$;
create trigger keep_elsewhere
  after insert on certvakt.memberships
  referencing new table as new_rows
  for each statement execute function certvakt.keep_elsewhere_of_memberships();

create function certvakt.keep_elsewhere_of_move() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from certvakt.certifications_elsewhere e where e.certification_id = new.id;
  insert into certvakt.certifications_elsewhere (chapter_id, certification_id, person_id)
  select m.chapter_id, new.id, m.person_id
  from certvakt.memberships m
  where m.person_id = new.peer_mentor_id and m.role = 'mentor'
    and m.organisation_id = new.organisation_id and m.chapter_id <> new.chapter_id;
  return null;
end
$$;
create trigger keep_elsewhere_of_move
  after update of chapter_id, organisation_id on public.peer_mentor_certifications
  for each row when (old.chapter_id <> new.chapter_id or old.organisation_id <> new.organisation_id)
  execute function certvakt.keep_elsewhere_of_move();
do $$
declare
  kept text;
begin
  foreach kept in array array['certifications', 'memberships', 'move'] loop
    execute format('revoke all on function certvakt.keep_elsewhere_of_%s() from public, anon, authenticated, service_role', kept);
    execute format('alter function certvakt.keep_elsewhere_of_%s() owner to certvakt_definer', kept);
  end loop;
end
$$;

create function certvakt.visible_elsewhere() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
declare
  visible uuid[] := certvakt.visible_chapters();
begin
  return array(
    select e.certification_id from certvakt.certifications_elsewhere e where e.chapter_id = any (visible));
end
$$;
comment on function certvakt.visible_elsewhere is
  'Certifications of other chapters that who is asking may see, because their mentors belong to a visible chapter of the same organisation as well. Never null.';

-- The kill switch. A closure is recorded, and its end beside it.
create table certvakt.access_closures (
  id bigint generated always as identity primary key,
  resource text not null constraint access_closures_resource_known check (resource in ('certifications')),
  organisation_id uuid references certvakt.organisations (id) on delete cascade,
  reason text not null constraint access_closures_reason_form check (length(reason) between 1 and 500),
  closed_at timestamptz not null default now(),
  closed_by text not null default session_user,
  opened_at timestamptz,
  opened_by text,
  constraint access_closures_opened_by_somebody check ((opened_at is null) = (opened_by is null))
);
comment on table certvakt.access_closures is
  'When people''s access to a resource was closed, by whom and why, and when it was opened again.';
comment on column certvakt.access_closures.organisation_id is 'Null: of every organisation.';
comment on column certvakt.access_closures.closed_by is 'The login of the database that closed it.';
create index access_closures_organisation on certvakt.access_closures (organisation_id);
create unique index access_closures_open on certvakt.access_closures (resource, organisation_id) nulls not distinct
  where opened_at is null;

create function certvakt.closed_organisations(resource text) returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  if exists (
    select from certvakt.access_closures c
    where c.resource = closed_organisations.resource and c.opened_at is null and c.organisation_id is null) then
    return null;
  end if;
  return array(
    select c.organisation_id from certvakt.access_closures c
    where c.resource = closed_organisations.resource and c.opened_at is null);
end
$$;
comment on function certvakt.closed_organisations is
  'The organisations whose resource is closed to people; null: that of every one, and then nothing compares with it.';

alter table certvakt.access_closures enable row level security;
alter table certvakt.access_closures force row level security;
revoke all on certvakt.access_closures from public, anon, authenticated, service_role;
grant select, insert, update (opened_at, opened_by) on certvakt.access_closures to certvakt_registrar;
grant select on certvakt.access_closures to certvakt_definer, certvakt_worker;
create policy registrar_keeps on certvakt.access_closures to certvakt_registrar using (true) with check (true);
create policy definer_reads on certvakt.access_closures for select to certvakt_definer using (true);
create policy worker_reads on certvakt.access_closures for select to certvakt_worker using (true);

-- Who belongs where, as far as who is asking may know it.
grant select (organisation_id, chapter_id, person_id, role) on certvakt.memberships to authenticated;
create policy people_see on certvakt.memberships for select to authenticated using (
  person_id = (select certvakt.current_person()) or chapter_id = any ((select certvakt.visible_chapters())::uuid[]));
create view certvakt.visible_memberships with (security_invoker = true) as
select m.organisation_id, m.chapter_id, m.person_id, m.role from certvakt.memberships m;
comment on view certvakt.visible_memberships is
  'The memberships that who is asking may see: their own, and everybody''s in the visible chapters. Each is of a chapter of its organisation, as mentor, coordinator or org_admin. Policies look up a person in it for each row that they judge.';
revoke all on certvakt.visible_memberships from public, anon, authenticated, service_role;
grant select on certvakt.visible_memberships to authenticated;

-- What people reach. Nobody deletes a certification; ids, external ids and dates are not theirs to choose,
-- so none tells by being taken that it is there.
grant select on public.peer_mentor_certifications to authenticated;
grant insert (organisation_id, chapter_id, peer_mentor_id, certification_type, issued_at, expires_at)
  on public.peer_mentor_certifications to authenticated;
grant execute on function certvakt.uuid_v7() to authenticated;
grant update (status) on public.peer_mentor_certifications to authenticated;
create policy people_see on public.peer_mentor_certifications for select to authenticated using (
  chapter_id = any ((select certvakt.visible_chapters())::uuid[])
  or peer_mentor_id = (select certvakt.current_person())
  or id = any ((select certvakt.visible_elsewhere())::uuid[]));
create policy people_certify on public.peer_mentor_certifications for insert to authenticated with check (
  chapter_id = any ((select certvakt.visible_chapters())::uuid[])
  -- Whether somebody is there does not show: asked before the foreign key is.
  and exists (
    select from certvakt.visible_memberships m
    where m.person_id = peer_mentor_id and m.chapter_id = peer_mentor_certifications.chapter_id and m.role = 'mentor'));
-- What has lapsed is renewed, not talked back into being valid.
create policy people_keep on public.peer_mentor_certifications for update to authenticated
  using (chapter_id = any ((select certvakt.visible_chapters())::uuid[]) and status <> 'expired')
  with check (chapter_id = any ((select certvakt.visible_chapters())::uuid[]) and status in ('active', 'suspended'));
create policy access_is_open on public.peer_mentor_certifications as restrictive to authenticated
  using (organisation_id <> all ((select certvakt.closed_organisations('certifications'))::uuid[]));

grant select (id, name, locale) on certvakt.people to authenticated;
create policy people_see on certvakt.people for select to authenticated using (
  id = (select certvakt.current_person())
  or exists (
    select from certvakt.visible_memberships m
    where m.person_id = people.id and m.chapter_id = any ((select certvakt.visible_chapters())::uuid[]))
  -- Who has left the chapter that certified them.
  or exists (select from public.peer_mentor_certifications c where c.peer_mentor_id = people.id));

grant select (id, organisation_id, parent_id, slug, name) on certvakt.chapters to authenticated;
create policy people_see on certvakt.chapters for select to authenticated using (
  id = any ((select certvakt.visible_chapters())::uuid[])
  or exists (
    select from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.chapter_id = chapters.id));

grant select (id, slug, name, time_zone, locale, expired_grace_days) on certvakt.organisations to authenticated;
create policy people_see on certvakt.organisations for select to authenticated using (
  id = any ((select certvakt.current_organisations())::uuid[]));

grant select (organisation_id, code, name, validity_months) on certvakt.certification_types to authenticated;
create policy people_see on certvakt.certification_types for select to authenticated using (
  organisation_id = any ((select certvakt.current_organisations())::uuid[]));

grant select (id, person_id, kind, installation, created_at) on certvakt.contact_points to authenticated;
create policy people_see on certvakt.contact_points for select to authenticated using (
  person_id = (select certvakt.current_person()));

grant select on certvakt.runs to authenticated;
create policy people_see on certvakt.runs for select to authenticated using (
  exists (
    select from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.organisation_id = runs.organisation_id
      and m.role in ('coordinator', 'org_admin')));

-- What people may know of notices: the log itself stays unreadable for them.
grant select on public.cert_notification_log, certvakt.deliveries to certvakt_definer;
create policy definer_reads on public.cert_notification_log for select to certvakt_definer using (true);
create policy definer_reads on certvakt.deliveries for select to certvakt_definer using (true);
create function certvakt.notices_of(certifications uuid[])
returns table (
  id bigint, organisation_id uuid, certification_id uuid, stage text, due_date date, expires_at timestamptz, recorded_at timestamptz,
  state text, reason text, attempt integer, finished_at timestamptz)
language sql stable security definer set search_path = ''
begin atomic
  with asking as materialized (
    select certvakt.current_person() as person, certvakt.visible_chapters() as chapters,
      certvakt.visible_elsewhere() as elsewhere, certvakt.closed_organisations('certifications') as closed
  )
  select d.id, c.organisation_id, c.id, d.stage, d.due_date, d.expires_at, l.sent_at, d.state, d.reason, d.attempt, d.finished_at
  from asking
  join public.peer_mentor_certifications c on c.id = any (notices_of.certifications)
  join public.cert_notification_log l on l.certification_id = c.id
  join certvakt.deliveries d on d.id = l.id
  -- As the policies of the certifications say.
  where c.organisation_id <> all (asking.closed)
    and (c.chapter_id = any (asking.chapters) or c.peer_mentor_id = asking.person or c.id = any (asking.elsewhere));
end;
comment on function certvakt.notices_of is
  'The notices of some certifications, and what became of them; nothing of a certification that who is asking may not see.';

do $$
declare
  asked text;
begin
  foreach asked in array array['current_person()', 'current_organisations()', 'visible_chapters()',
                               'visible_elsewhere()', 'closed_organisations(text)', 'notices_of(uuid[])'] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
    execute format('alter function certvakt.%s owner to certvakt_definer', asked);
  end loop;
end
$$;
