-- What people may see and do: through the API, the pages and Supabase's own REST alike. What the service's roles may
-- do stands with each table.
--
-- Policies call four functions about the caller, each once a statement, as (select certvakt.…()), and read one view
-- who belongs where. An app with a hierarchy of its own replaces these five, and nothing else
-- (docs/supabase.md); what they promise stands in their comments. The functions are written in PL/pgSQL
-- because that keeps their plans.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- The caller. certvakt.current_person() is in the file with the logins.

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
  'The organisations that the caller is a member of, in any role, or that certified the caller. Never null.';

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
  'The chapters whose certifications the caller may see and change: those that they coordinate and all below, and every one of an organisation that they administer. Never null.';

-- What is visible elsewhere follows from the visible chapters: a caller that knows those does not ask for them again.
create function certvakt.elsewhere_of(chapters uuid[]) returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return array(
    select e.certification_id from certvakt.certifications_elsewhere e where e.chapter_id = any (chapters));
end
$$;
comment on function certvakt.elsewhere_of is
  'Certifications of other chapters, whose mentors belong to one of some chapters of the same organisation as well. Never null. For functions only: it does not ask whether those chapters are visible.';

create function certvakt.visible_elsewhere() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return certvakt.elsewhere_of(certvakt.visible_chapters());
end
$$;
comment on function certvakt.visible_elsewhere is
  'Certifications of other chapters that the caller may see, because their mentors belong to a visible chapter of the same organisation as well. Never null.';

revoke all on function certvakt.current_organisations(), certvakt.visible_chapters(), certvakt.elsewhere_of(uuid[]),
  certvakt.visible_elsewhere() from public, anon, authenticated, service_role;
grant execute on function certvakt.current_organisations(), certvakt.visible_chapters(), certvakt.visible_elsewhere()
  to authenticated;
alter function certvakt.current_organisations() owner to certvakt_definer;
alter function certvakt.visible_chapters() owner to certvakt_definer;
alter function certvakt.elsewhere_of(uuid[]) owner to certvakt_definer;
alter function certvakt.visible_elsewhere() owner to certvakt_definer;

-- The kill switch. A closure is recorded, and its end beside it.
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
  'When people''s access to a resource was closed, by whom and why, and when it was opened again.';
comment on column certvakt.access_closures.organisation_id is 'Null: of every organisation.';
comment on column certvakt.access_closures.closed_by is 'The login of the database that closed it.';
comment on column certvakt.access_closures.operator is 'Who ran the command that made it, as account@host; null: no command did.';
comment on column certvakt.access_closures.opened_operator is 'Who ran the command that opened it again, as account@host.';
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
create policy registrar_keeps on certvakt.access_closures to certvakt_registrar using (true) with check (true);

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
  'The organisations whose resource is closed to people; null: that of every one, and then nothing compares with it.';
revoke all on function certvakt.closed_organisations(text) from public, anon, authenticated, service_role;
grant execute on function certvakt.closed_organisations(text) to authenticated;
alter function certvakt.closed_organisations(text) owner to certvakt_definer;

-- Who belongs where, as far as the caller may know it.
grant select (organisation_id, chapter_id, person_id, role) on certvakt.memberships to authenticated;
create policy people_see on certvakt.memberships for select to authenticated using (
  person_id = (select certvakt.current_person()) or chapter_id = any ((select certvakt.visible_chapters())::uuid[]));
create view certvakt.visible_memberships with (security_invoker = true) as
select m.organisation_id, m.chapter_id, m.person_id, m.role from certvakt.memberships m;
comment on view certvakt.visible_memberships is
  'The memberships that the caller may see: their own, and all in the visible chapters. Each is of a chapter of its organisation, as mentor, coordinator or org_admin. Policies look up a person in it for each row that they judge.';
revoke all on certvakt.visible_memberships from public, anon, authenticated, service_role;
grant select on certvakt.visible_memberships to certvakt_definer, authenticated;

-- Certifications. Nobody deletes one. Ids and external ids are not theirs to choose, so none tells by being taken that it
-- is there.
grant select, insert (organisation_id, chapter_id, peer_mentor_id, certification_type, issued_at, expires_at),
  update (status, expires_at) on public.peer_mentor_certifications to authenticated;
grant select on public.peer_mentor_certifications to certvakt_viewer;
-- This policy and the kill switch below are the only definition of who may see a certification.
create policy people_see on public.peer_mentor_certifications for select to authenticated, certvakt_viewer using (
  chapter_id = any ((select certvakt.visible_chapters())::uuid[])
  or peer_mentor_id = (select certvakt.current_person())
  or id = any ((select certvakt.visible_elsewhere())::uuid[]));
create policy people_certify on public.peer_mentor_certifications for insert to authenticated with check (
  chapter_id = any ((select certvakt.visible_chapters())::uuid[])
  -- Whether somebody is there does not show: asked before the foreign key is.
  and exists (
    select from certvakt.visible_memberships m
    where m.person_id = peer_mentor_id and m.chapter_id = peer_mentor_certifications.chapter_id and m.role = 'mentor'));
-- Without WITH CHECK, the new row must meet the same condition.
create policy people_keep on public.peer_mentor_certifications for update to authenticated
  using (chapter_id = any ((select certvakt.visible_chapters())::uuid[]));
create policy access_is_open on public.peer_mentor_certifications as restrictive to authenticated, certvakt_viewer
  using (organisation_id <> all ((select certvakt.closed_organisations('certifications'))::uuid[]));

-- The definer sees every certification, so its functions read this view instead of the table wherever they answer a
-- caller. A view reads with the rights of its owner, and certvakt_viewer is bound by the two policies above. The planner
-- expands the view and the policies into each statement.
create view certvakt.visible_certifications as
select c.id, c.organisation_id, c.chapter_id, c.peer_mentor_id, c.certification_type, c.external_id, c.issued_at,
  c.expires_at, c.status, c.renewal_history, c.updated_at
from public.peer_mentor_certifications c;
comment on view certvakt.visible_certifications is
  'The certifications that the caller may see, for functions that run as certvakt_definer.';
revoke all on certvakt.visible_certifications from public, anon, authenticated, service_role;
grant select on certvakt.visible_certifications to certvakt_definer;
alter view certvakt.visible_certifications owner to certvakt_viewer;

grant select (id, name, locale, erased_at) on certvakt.people to authenticated;
create policy people_see on certvakt.people for select to authenticated using (
  id = (select certvakt.current_person())
  or exists (
    select from certvakt.visible_memberships m
    where m.person_id = people.id and m.chapter_id = any ((select certvakt.visible_chapters())::uuid[]))
  -- Who has left the chapter that certified them.
  or exists (select from public.peer_mentor_certifications c where c.peer_mentor_id = people.id));

grant select (person_id, organisation_id, name) on certvakt.person_names to authenticated;
-- As the person is seen: themselves, in a visible chapter of that organisation, or by its certification.
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

grant select (id, organisation_id, parent_id, slug, name) on certvakt.chapters to authenticated;
create policy people_see on certvakt.chapters for select to authenticated using (
  id = any ((select certvakt.visible_chapters())::uuid[])
  or exists (
    select from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.chapter_id = chapters.id));

grant select (id, slug, name, time_zone, locale, expired_grace_days) on certvakt.organisations to authenticated;
create policy people_see on certvakt.organisations for select to authenticated using (
  id = any ((select certvakt.current_organisations())::uuid[]));

grant select (organisation_id, code, name, validity_months, renewal_rule) on certvakt.certification_types to authenticated;
create policy people_see on certvakt.certification_types for select to authenticated using (
  organisation_id = any ((select certvakt.current_organisations())::uuid[]));

grant select on certvakt.runs to authenticated;
create policy people_see on certvakt.runs for select to authenticated using (
  exists (
    select from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.organisation_id = runs.organisation_id
      and m.role in ('coordinator', 'org_admin')));
