-- The privileges of people: in the API, the pages and Supabase's REST API. Those of the service's roles are with each table.
--
-- Policies call four functions about the caller, each once for a statement, as (select certvakt.…()), and read one view of
-- memberships. An app with its own hierarchy replaces these five and nothing else (docs/supabase.md); their comments state
-- their contracts. The functions are in PL/pgSQL, which caches their plans.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- The caller. certvakt.current_person() is with the logins, in the file for people.

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
  'Returns the organisations that the caller is a member of, in any role, or that certified the caller. Never null.';

create function certvakt.chapters_managed_by(person uuid) returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return array(
    with recursive coordinated as (
      select m.organisation_id, m.chapter_id
      from certvakt.memberships m where m.person_id = chapters_managed_by.person and m.role = 'coordinator'
      union
      select c.organisation_id, c.id
      from certvakt.chapters c
      join coordinated above on above.organisation_id = c.organisation_id and above.chapter_id = c.parent_id
    )
    select coordinated.chapter_id from coordinated
    union all
    select c.id from certvakt.memberships m join certvakt.chapters c on c.organisation_id = m.organisation_id
    where m.person_id = chapters_managed_by.person and m.role = 'org_admin');
end
$$;
comment on function certvakt.chapters_managed_by is
  'Returns the chapters that a person manages: those that they coordinate, all chapters below them, and every chapter of an organisation that they administer. Never null.';

create function certvakt.visible_chapters() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return certvakt.chapters_managed_by(certvakt.current_person());
end
$$;
comment on function certvakt.visible_chapters is
  'Returns the chapters whose certifications the caller may see and change: the chapters that the caller coordinates, all chapters below them, and every chapter of an organisation that the caller administers. Never null.';

-- This function takes the visible chapters as an argument, so that a function that has them does not compute them again.
create function certvakt.elsewhere_of(chapters uuid[]) returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return array(
    select e.certification_id from certvakt.certifications_elsewhere e where e.chapter_id = any (chapters));
end
$$;
comment on function certvakt.elsewhere_of is
  'Returns the certifications of other chapters whose mentors also belong to one of the given chapters, in the same organisation. Never null. It does not check that the chapters are visible, so only other functions may call it.';

create function certvakt.visible_elsewhere() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return certvakt.elsewhere_of(certvakt.visible_chapters());
end
$$;
comment on function certvakt.visible_elsewhere is
  'Returns the certifications of other chapters that the caller may see because their mentors also belong to a visible chapter of the same organisation. Never null.';

revoke all on function certvakt.current_organisations(), certvakt.chapters_managed_by(uuid), certvakt.visible_chapters(),
  certvakt.elsewhere_of(uuid[]), certvakt.visible_elsewhere() from public, anon, authenticated, service_role;
-- An import of a coordinator is limited to what they still manage.
grant execute on function certvakt.chapters_managed_by(uuid) to certvakt_registrar;
grant execute on function certvakt.current_organisations(), certvakt.visible_chapters(), certvakt.visible_elsewhere()
  to authenticated;
alter function certvakt.current_organisations() owner to certvakt_definer;
alter function certvakt.chapters_managed_by(uuid) owner to certvakt_definer;
alter function certvakt.visible_chapters() owner to certvakt_definer;
alter function certvakt.elsewhere_of(uuid[]) owner to certvakt_definer;
alter function certvakt.visible_elsewhere() owner to certvakt_definer;

-- The kill switch. A row records when access was closed and when it was opened again.
create table certvakt.access_closures (
  id bigint generated always as identity primary key,
  resource text not null constraint access_closures_resource_known check (resource in ('certifications')),
  organisation_id uuid references certvakt.organisations (id) on delete cascade,
  reason text not null constraint access_closures_reason_form check (length(reason) between 1 and 500)
    constraint access_closures_reason_plain check (reason !~ certvakt.forbidden_characters()),
  closed_at timestamptz not null default now(),
  closed_by text not null default session_user,
  opened_at timestamptz,
  opened_by text,
  operator text default certvakt.operator(),
  opened_operator text,
  constraint access_closures_opened_by_somebody check ((opened_at is null) = (opened_by is null))
);
comment on table certvakt.access_closures is
  'Periods during which people have no access to a resource, with the reason.';
comment on column certvakt.access_closures.organisation_id is 'The organisation. Null: all of them.';
comment on column certvakt.access_closures.closed_by is 'The database login that closed access.';
comment on column certvakt.access_closures.operator is 'Who ran the command that closed access, as account@host. Null: no command did.';
comment on column certvakt.access_closures.opened_operator is 'Who ran the command that opened access again, as account@host.';
create index access_closures_organisation on certvakt.access_closures (organisation_id);
create unique index access_closures_open on certvakt.access_closures (resource, organisation_id) nulls not distinct
  where opened_at is null;

alter table certvakt.access_closures enable row level security;
alter table certvakt.access_closures force row level security;
revoke all on certvakt.access_closures from public, anon, authenticated, service_role;
grant select on certvakt.access_closures to certvakt_worker, certvakt_definer;
create policy worker_reads on certvakt.access_closures for select to certvakt_worker using (true);
create policy definer_reads on certvakt.access_closures for select to certvakt_definer using (true);
grant select, insert, update (opened_at, opened_by, opened_operator) on certvakt.access_closures to certvakt_registrar;
create policy registrar_manages on certvakt.access_closures to certvakt_registrar using (true) with check (true);

create function certvakt.closed_organisations(resource text) returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return (
    select case when bool_and(c.organisation_id is not null) is not false
      then coalesce(array_agg(c.organisation_id), '{}') end
    from certvakt.access_closures c
    where c.resource = closed_organisations.resource and c.opened_at is null);
end
$$;
comment on function certvakt.closed_organisations is
  'Returns the organisations whose resource is closed to people. Null: it is closed in all of them. A comparison with null is never true, so policies then hide every row.';
revoke all on function certvakt.closed_organisations(text) from public, anon, authenticated, service_role;
grant execute on function certvakt.closed_organisations(text) to authenticated;
alter function certvakt.closed_organisations(text) owner to certvakt_definer;

-- Memberships.
grant select (organisation_id, chapter_id, person_id, role) on certvakt.memberships to authenticated;
create policy people_see on certvakt.memberships for select to authenticated using (
  person_id = (select certvakt.current_person()) or chapter_id = any ((select certvakt.visible_chapters())::uuid[]));
create view certvakt.visible_memberships with (security_invoker = true) as
select m.organisation_id, m.chapter_id, m.person_id, m.role from certvakt.memberships m;
comment on view certvakt.visible_memberships is
  'The memberships that the caller may see: their own, and all memberships of the visible chapters. The role is mentor, coordinator or org_admin. Policies look up a person here for each row that they check.';
revoke all on certvakt.visible_memberships from public, anon, authenticated, service_role;
grant select on certvakt.visible_memberships to certvakt_definer, authenticated;

-- Certifications. People cannot delete one. They cannot set ids or external ids either, so a conflict does not reveal that
-- one exists.
grant select, insert (organisation_id, chapter_id, peer_mentor_id, certification_type, issued_at, expires_at),
  update (status, expires_at, suspended_until) on public.peer_mentor_certifications to authenticated;
grant select on public.peer_mentor_certifications to certvakt_viewer;
-- This policy and the kill switch below are the only definition of who may see a certification.
create policy people_see on public.peer_mentor_certifications for select to authenticated, certvakt_viewer using (
  chapter_id = any ((select certvakt.visible_chapters())::uuid[])
  or peer_mentor_id = (select certvakt.current_person())
  or id = any ((select certvakt.visible_elsewhere())::uuid[]));
-- Nobody certifies or renews themselves.
create policy people_certify on public.peer_mentor_certifications for insert to authenticated with check (
  chapter_id = any ((select certvakt.visible_chapters())::uuid[])
  and peer_mentor_id <> (select certvakt.current_person())
  -- This condition applies before the foreign key, so an error does not reveal whether a person exists.
  and exists (
    select from certvakt.visible_memberships m
    where m.person_id = peer_mentor_id and m.chapter_id = peer_mentor_certifications.chapter_id and m.role = 'mentor'));
-- Without WITH CHECK, the new row must satisfy the same condition.
create policy people_keep on public.peer_mentor_certifications for update to authenticated
  using (chapter_id = any ((select certvakt.visible_chapters())::uuid[])
    and peer_mentor_id <> (select certvakt.current_person()));
create policy access_is_open on public.peer_mentor_certifications as restrictive to authenticated, certvakt_viewer
  using (organisation_id <> all ((select certvakt.closed_organisations('certifications'))::uuid[]));

-- Functions that run as certvakt_definer, which sees every certification, read this view instead of the table to answer a
-- caller. A view reads its table with the privileges of its owner, and the two policies above apply to certvakt_viewer.
-- PostgreSQL expands the view and the policies into each statement.
create view certvakt.visible_certifications as
select c.id, c.organisation_id, c.chapter_id, c.peer_mentor_id, c.certification_type, c.external_id, c.issued_at,
  c.expires_at, c.status, c.suspended_until, c.renewal_history, c.created_at, c.updated_at
from public.peer_mentor_certifications c;
comment on view certvakt.visible_certifications is
  'The certifications that the caller may see, for functions that run as certvakt_definer.';
revoke all on certvakt.visible_certifications from public, anon, authenticated, service_role;
grant select on certvakt.visible_certifications to certvakt_definer;
alter view certvakt.visible_certifications owner to certvakt_viewer;

grant select (id, name, family_name, locale, erased_at) on certvakt.people to authenticated;
create policy people_see on certvakt.people for select to authenticated using (
  id = (select certvakt.current_person())
  or exists (
    select from certvakt.visible_memberships m
    where m.person_id = people.id and m.chapter_id = any ((select certvakt.visible_chapters())::uuid[]))
  -- A mentor who has left the chapter of a visible certification.
  or exists (select from public.peer_mentor_certifications c where c.peer_mentor_id = people.id));

grant select (person_id, organisation_id, name, family_name) on certvakt.person_names to authenticated;
-- The name that an organisation uses is visible to the person, and to callers who see the person in a chapter or by a
-- certification of that organisation.
create policy people_see on certvakt.person_names for select to authenticated using (
  person_id = (select certvakt.current_person())
  or exists (
    select from certvakt.visible_memberships m
    where m.person_id = person_names.person_id and m.organisation_id = person_names.organisation_id
      and m.chapter_id = any ((select certvakt.visible_chapters())::uuid[]))
  or exists (
    select from public.peer_mentor_certifications c
    where c.peer_mentor_id = person_names.person_id and c.organisation_id = person_names.organisation_id));

grant select (id, person_id, kind, installation, created_at) on certvakt.contact_points to authenticated;
create policy people_see on certvakt.contact_points for select to authenticated using (
  person_id = (select certvakt.current_person()));

grant select (id, organisation_id, parent_id, slug, name, required_mentors),
  insert (organisation_id, parent_id, slug, name, external_id), update (name) on certvakt.chapters to authenticated;
create policy people_see on certvakt.chapters for select to authenticated using (
  id = any ((select certvakt.visible_chapters())::uuid[])
  -- An array, so that both conditions use the index of ids.
  or id = any (array(
    select m.chapter_id from certvakt.visible_memberships m where m.person_id = (select certvakt.current_person()))));
-- By certvakt's own memberships: an app that owns the hierarchy maintains the chapters itself.
create policy people_add on certvakt.chapters for insert to authenticated with check (exists (
  select from certvakt.memberships m
  where m.person_id = (select certvakt.current_person()) and m.organisation_id = chapters.organisation_id and m.role = 'org_admin'));
create policy people_rename on certvakt.chapters for update to authenticated using (exists (
  select from certvakt.memberships m
  where m.person_id = (select certvakt.current_person()) and m.organisation_id = chapters.organisation_id and m.role = 'org_admin'));

grant select (id, slug, name, time_zone, locale, run_at, deliver_from, deliver_until, expired_grace_days, run_limit_floor,
    run_limit_percent, names_certification, digest_names, lead_times),
  update (name, locale, run_at, deliver_from, deliver_until, expired_grace_days, run_limit_floor, run_limit_percent,
    names_certification, digest_names, lead_times) on certvakt.organisations to authenticated;
create policy people_see on certvakt.organisations for select to authenticated using (
  id = any ((select certvakt.current_organisations())::uuid[]));
create policy people_set on certvakt.organisations for update to authenticated using (exists (
  select from certvakt.visible_memberships m
  where m.person_id = (select certvakt.current_person()) and m.organisation_id = organisations.id and m.role = 'org_admin'));
-- An administrator selects among the declared lead times.
grant select (days_before) on certvakt.stages to authenticated;
create policy people_see on certvakt.stages for select to authenticated using (true);

grant select (organisation_id, code, name, validity_months, renewal_rule, renewal_window_days, lead_times),
  insert (organisation_id, code, name, validity_months, renewal_rule, renewal_window_days, lead_times, external_id),
  update (name, validity_months, lead_times) on certvakt.certification_types to authenticated;
create policy people_see on certvakt.certification_types for select to authenticated using (
  organisation_id = any ((select certvakt.current_organisations())::uuid[]));
create policy people_add on certvakt.certification_types for insert to authenticated with check (exists (
  select from certvakt.visible_memberships m
  where m.person_id = (select certvakt.current_person()) and m.organisation_id = certification_types.organisation_id
    and m.role = 'org_admin'));
create policy people_set on certvakt.certification_types for update to authenticated using (exists (
  select from certvakt.visible_memberships m
  where m.person_id = (select certvakt.current_person()) and m.organisation_id = certification_types.organisation_id
    and m.role = 'org_admin'));

grant select on certvakt.runs to authenticated;
create policy people_see on certvakt.runs for select to authenticated using (
  exists (
    select from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.organisation_id = runs.organisation_id
      and m.role in ('coordinator', 'org_admin')));

grant select (id, organisation_id, state, run_date, finished_at, notices), update (decided_at, decided_by, approved_notices) on certvakt.runs to certvakt_definer;
create policy definer_reads on certvakt.runs for select to certvakt_definer using (true);
create policy definer_decides on certvakt.runs for update to certvakt_definer using (state = 'held') with check (state = 'held');
create function certvakt.require_mentors(chapter uuid, number smallint) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  update certvakt.chapters h set required_mentors = require_mentors.number
  where h.id = require_mentors.chapter
    and exists (
      select from certvakt.visible_memberships m
      where m.person_id = certvakt.current_person() and m.organisation_id = h.organisation_id and m.role = 'org_admin');
  return found;
end
$$;
comment on function certvakt.require_mentors is
  'Sets how many valid mentors a chapter needs, by an administrator of its organisation. Returns false if the caller is none.';
revoke all on function certvakt.require_mentors(uuid, smallint) from public, anon, authenticated, service_role;
grant execute on function certvakt.require_mentors(uuid, smallint) to authenticated;
alter function certvakt.require_mentors(uuid, smallint) owner to certvakt_definer;

create function certvakt.repeat_run(run bigint, is_approved boolean) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
begin
  update certvakt.runs r set decided_at = now(), decided_by = person,
    approved_notices = case when is_approved
      then (select coalesce(sum(by_stage.value::bigint), 0) from jsonb_each_text(r.notices) by_stage) else 0 end
  where r.id = repeat_run.run and r.state = 'held'
    -- Only the latest run still waits.
    and r.id = (select max(l.id) from certvakt.runs l where l.organisation_id = r.organisation_id and l.state <> 'missed')
    and exists (
      select from certvakt.visible_memberships m
      where m.person_id = person and m.organisation_id = r.organisation_id and m.role = 'org_admin');
  return found;
end
$$;
comment on function certvakt.repeat_run is
  'Lets the scheduler run a held run again, by an administrator of its organisation: with as many notices as it counted, or within its limit. Returns false if the caller is none, or the run does not wait.';
revoke all on function certvakt.repeat_run(bigint, boolean) from public, anon, authenticated, service_role;
grant execute on function certvakt.repeat_run(bigint, boolean) to authenticated;
alter function certvakt.repeat_run(bigint, boolean) owner to certvakt_definer;

create function certvakt.suspected_imports(runs bigint[])
returns table (run bigint, id bigint, finished_at timestamptz, changed bigint, is_undone boolean)
language sql stable security definer set search_path = ''
begin atomic
  select r.id, i.id, i.finished_at, i.added + i.renewed + i.corrected, i.undone_at is not null
  from certvakt.runs r
  cross join lateral (
    select i.id, i.finished_at, i.added, i.renewed, i.corrected, i.undone_at
    from certvakt.imports i
    where i.organisation_id = r.organisation_id and i.finished_at < r.finished_at
      and i.added + i.renewed + i.corrected > 0
      and i.finished_at > coalesce((
        select max(l.finished_at) from certvakt.runs l where l.organisation_id = r.organisation_id and l.state = 'complete'), '-infinity')
    order by i.added + i.renewed + i.corrected desc, i.id desc
    limit 1
  ) i
  where r.id = any (suspected_imports.runs) and r.state = 'held'
    and r.organisation_id = any (certvakt.current_organisations());
end;
comment on function certvakt.suspected_imports is
  'Returns, for each of some held runs of the caller''s organisations, the import since the last complete run that changed most certifications, and whether it was undone.';
revoke all on function certvakt.suspected_imports(bigint[]) from public, anon, authenticated, service_role;
grant execute on function certvakt.suspected_imports(bigint[]) to authenticated;
alter function certvakt.suspected_imports(bigint[]) owner to certvakt_definer;
grant select (id, organisation_id, added, renewed, corrected, finished_at, undone_at) on certvakt.imports to certvakt_definer;
create policy definer_reads on certvakt.imports for select to certvakt_definer using (true);
