-- The functions by which coordinators and administrators end and move people, and hand over chapters. They work on certvakt's own memberships: where an
-- app owns the hierarchy, nobody has a role there, and so the functions refuse.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function certvakt.administers(organisation uuid) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select exists (
    select from certvakt.memberships m
    where m.person_id = certvakt.current_person() and m.organisation_id = administers.organisation and m.role = 'org_admin');
end;
comment on function certvakt.administers is 'Returns whether the caller is an administrator of an organisation.';

create function certvakt.may_end(person uuid, organisation uuid) returns boolean
language plpgsql stable security definer set search_path = '' as $$
declare
  visible uuid[] := certvakt.visible_chapters();
begin
  return may_end.person <> certvakt.current_person() and (
    certvakt.administers(may_end.organisation) and exists (
      select from certvakt.memberships m
      where m.person_id = may_end.person and m.organisation_id = may_end.organisation
      union all
      select from public.peer_mentor_certifications c
      where c.peer_mentor_id = may_end.person and c.organisation_id = may_end.organisation)
    or exists (
      select from certvakt.memberships m
      where m.person_id = may_end.person and m.organisation_id = may_end.organisation)
    -- A coordinator ends nobody who has another role, or who belongs to a chapter that the coordinator does not manage.
    and not exists (
      select from certvakt.memberships m
      where m.person_id = may_end.person and m.organisation_id = may_end.organisation
        and (m.role <> 'mentor' or m.chapter_id <> all (visible)))
    and not exists (
      select from public.peer_mentor_certifications c
      where c.peer_mentor_id = may_end.person and c.organisation_id = may_end.organisation and c.chapter_id <> all (visible)));
end
$$;
comment on function certvakt.may_end is
  'Returns whether the caller may record that a person died or left: an administrator for anybody else in the organisation, a coordinator for a mentor all of whose chapters they manage.';

create function certvakt.end_person(person uuid, organisation uuid, reason text) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  -- Imports take the same lock, so none adds the person again from what it read before.
  perform from certvakt.organisations o where o.id = end_person.organisation for no key update;
  if end_person.reason not in ('deceased', 'left') or not certvakt.may_end(end_person.person, end_person.organisation) then
    return false;
  end if;
  if exists (
    select from certvakt.ended_people e where e.person_id = end_person.person and e.organisation_id = end_person.organisation) then
    return true;
  end if;
  insert into certvakt.person_changes (organisation_id, person_id, kind, made_by)
  values (end_person.organisation, end_person.person, end_person.reason, certvakt.current_person());
  delete from certvakt.memberships m where m.person_id = end_person.person and m.organisation_id = end_person.organisation;
  update certvakt.deliveries d
  set state = 'cancelled', reason = 'person ended', finished_at = now(), available_at = null, lease_token = null, lease_until = null
  from public.cert_notification_log l
  join public.peer_mentor_certifications c on c.id = l.certification_id
  where l.recipient_id = end_person.person and c.organisation_id = end_person.organisation and d.id = l.id
    and d.finished_at is null;
  -- The trigger delists them at once. Those who come back consent anew.
  update certvakt.listings l set listing_consent_at = null
  where l.person_id = end_person.person and l.organisation_id = end_person.organisation and l.listing_consent_at is not null;
  if certvakt.has_ended(end_person.person) then
    delete from certvakt.sessions s using certvakt.identities i
    where i.person_id = end_person.person and s.issuer = i.issuer and s.subject = i.subject;
    delete from certvakt.identities i where i.person_id = end_person.person;
    delete from certvakt.invitations i where i.person_id = end_person.person;
    delete from certvakt.mail_queue q where q.person_id = end_person.person and q.mailed_at is null;
    delete from certvakt.mail_queue q where q.person_id = end_person.person and q.kind in ('link', 'invitation');
  end if;
  return true;
end
$$;
comment on function certvakt.end_person is
  'Records that a person died (deceased) or left: ends their roles in the organisation, cancels open deliveries, delists them, and ends their logins unless another organisation knows them. Returns false if the caller may not. The caller withdraws the certifications in the same transaction.';

create function certvakt.return_person(person uuid, organisation uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  perform from certvakt.organisations o where o.id = return_person.organisation for no key update;
  if not certvakt.administers(return_person.organisation) then
    return false;
  end if;
  if exists (
    select from certvakt.ended_people e
    where e.person_id = return_person.person and e.organisation_id = return_person.organisation) then
    insert into certvakt.person_changes (organisation_id, person_id, kind, made_by)
    values (return_person.organisation, return_person.person, 'returned', certvakt.current_person());
    insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
    select distinct c.organisation_id, c.chapter_id, c.peer_mentor_id, 'mentor' from public.peer_mentor_certifications c
    where c.peer_mentor_id = return_person.person and c.organisation_id = return_person.organisation;
  end if;
  return true;
end
$$;
comment on function certvakt.return_person is
  'Records that a person is back, by an administrator: they are a mentor again in the chapters of their certifications, which stay withdrawn. Returns false if the caller is no administrator.';

-- Without people, it moves every mentor of the chapter.
create function certvakt.move_mentors(people uuid[], chapter_before uuid, chapter_after uuid) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  caller uuid := certvakt.current_person();
  visible uuid[] := certvakt.visible_chapters();
  organisation uuid := (
    select b.organisation_id from certvakt.chapters b
    join certvakt.chapters a on a.organisation_id = b.organisation_id and a.id <> b.id
    where b.id = chapter_before and a.id = chapter_after and b.id = any (visible) and a.id = any (visible)
      and b.organisation_id <> all (certvakt.closed_organisations('certifications')));
  movers uuid[];
begin
  perform from certvakt.organisations o where o.id = organisation for no key update;
  if organisation is null or people is null and not certvakt.administers(organisation)
    or caller = any (people)
    or not exists (
      select from certvakt.memberships m
      where m.person_id = caller and m.organisation_id = organisation and m.role in ('coordinator', 'org_admin')) then
    return null;
  end if;
  movers := array(
    select m.person_id from certvakt.memberships m
    where m.organisation_id = organisation and m.chapter_id = chapter_before and m.role = 'mentor'
      and (people is null or m.person_id = any (people)));
  -- The new membership comes first: a certification of another chapter stays visible to the chapters of its mentor.
  insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
  select organisation, chapter_after, m.id, 'mentor' from unnest(movers) m (id)
  on conflict do nothing;
  update public.peer_mentor_certifications c set chapter_id = move_mentors.chapter_after
  where c.chapter_id = move_mentors.chapter_before and c.peer_mentor_id = any (movers);
  delete from certvakt.memberships m
  where m.chapter_id = move_mentors.chapter_before and m.role = 'mentor' and m.person_id = any (movers);
  insert into certvakt.person_changes (organisation_id, person_id, kind, chapter_before, chapter_after, made_by)
  select organisation, m.id, 'moved', move_mentors.chapter_before, move_mentors.chapter_after, caller from unnest(movers) m (id);
  return cardinality(movers);
end
$$;
comment on function certvakt.move_mentors is
  'Moves mentors of a chapter, with the certifications of that chapter, to another chapter of the organisation, both of which the caller manages; all of its mentors without people, by an administrator. Returns how many moved; null if the caller may not.';

create function certvakt.hand_over_chapter(chapter uuid, successor uuid, relieved uuid[]) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  organisation uuid := (select h.organisation_id from certvakt.chapters h where h.id = hand_over_chapter.chapter);
begin
  -- An end takes the same lock, so nobody who has just ended is appointed.
  perform from certvakt.organisations o where o.id = organisation for no key update;
  if organisation is null or not certvakt.administers(organisation)
    or organisation = any (certvakt.closed_organisations('certifications'))
    or not exists (
      select from certvakt.memberships m
      where m.person_id = hand_over_chapter.successor and m.organisation_id = organisation) then
    return false;
  end if;
  with appointed as (
    insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
    values (organisation, hand_over_chapter.chapter, hand_over_chapter.successor, 'coordinator')
    on conflict do nothing
    returning person_id
  )
  insert into certvakt.person_changes (organisation_id, person_id, kind, chapter_after, made_by)
  select organisation, a.person_id, 'appointed', hand_over_chapter.chapter, certvakt.current_person() from appointed a;
  with ended as (
    delete from certvakt.memberships m
    where m.chapter_id = hand_over_chapter.chapter and m.role = 'coordinator'
      and m.person_id = any (hand_over_chapter.relieved) and m.person_id <> hand_over_chapter.successor
    returning m.person_id
  )
  insert into certvakt.person_changes (organisation_id, person_id, kind, chapter_before, made_by)
  select organisation, e.person_id, 'relieved', hand_over_chapter.chapter, certvakt.current_person() from ended e;
  return true;
end
$$;
comment on function certvakt.hand_over_chapter is
  'Makes somebody of the organisation coordinator of a chapter and ends that role of the others given, by an administrator. The successor keeps the role, so that a chapter never loses its last coordinator. Returns false if the caller may not, or if the successor does not belong to the organisation.';

create view certvakt.chapters_without_coordinator with (security_invoker = true) as
with recursive coordinated as (
  select m.organisation_id, m.chapter_id from certvakt.memberships m where m.role = 'coordinator'
  union
  select c.organisation_id, c.id from certvakt.chapters c
  join coordinated above on above.organisation_id = c.organisation_id and above.chapter_id = c.parent_id
)
select h.organisation_id, h.id as chapter_id, h.name
from certvakt.chapters h
where exists (
    select from certvakt.memberships m
    where m.organisation_id = h.organisation_id and m.chapter_id = h.id and m.role = 'mentor')
  and not exists (select from coordinated c where c.chapter_id = h.id);
comment on view certvakt.chapters_without_coordinator is
  'The chapters that have mentors, and of which neither they nor a chapter above has a coordinator.';
revoke all on certvakt.chapters_without_coordinator from public, anon, authenticated, service_role;
grant select (organisation_id, chapter_id, name) on certvakt.chapters_without_coordinator to authenticated;
grant select on certvakt.chapters_without_coordinator to certvakt_worker;

-- The history of a person, for those who see a certification of theirs in the organisation.
grant select (id, organisation_id, person_id, kind, chapter_before, chapter_after, made_at, made_by)
  on certvakt.person_changes to authenticated;
create policy people_see on certvakt.person_changes for select to authenticated using (
  exists (
    select from public.peer_mentor_certifications c
    where c.peer_mentor_id = person_changes.person_id and c.organisation_id = person_changes.organisation_id));

revoke all on function certvakt.administers(uuid), certvakt.may_end(uuid, uuid), certvakt.end_person(uuid, uuid, text),
  certvakt.return_person(uuid, uuid), certvakt.move_mentors(uuid[], uuid, uuid),
  certvakt.hand_over_chapter(uuid, uuid, uuid[]) from public, anon, authenticated, service_role;
grant execute on function certvakt.administers(uuid) to certvakt_definer;
grant execute on function certvakt.administers(uuid), certvakt.may_end(uuid, uuid), certvakt.end_person(uuid, uuid, text),
  certvakt.return_person(uuid, uuid), certvakt.move_mentors(uuid[], uuid, uuid),
  certvakt.hand_over_chapter(uuid, uuid, uuid[]) to authenticated;
alter function certvakt.administers(uuid) owner to certvakt_definer;
alter function certvakt.may_end(uuid, uuid) owner to certvakt_definer;
alter function certvakt.end_person(uuid, uuid, text) owner to certvakt_definer;
alter function certvakt.return_person(uuid, uuid) owner to certvakt_definer;
alter function certvakt.move_mentors(uuid[], uuid, uuid) owner to certvakt_definer;
alter function certvakt.hand_over_chapter(uuid, uuid, uuid[]) owner to certvakt_definer;
