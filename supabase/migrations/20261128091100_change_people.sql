-- The functions by which coordinators and administrators end, move and merge people, and hand over chapters. They work on certvakt's own memberships: where an
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
  -- Somebody who was merged is the other person now.
  if not certvakt.administers(return_person.organisation) or exists (
    select from certvakt.person_changes v
    where v.person_id = return_person.person and v.organisation_id = return_person.organisation and v.kind = 'merged') then
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
  'Records that a person is back, by an administrator: they are a mentor again in the chapters of their certifications, which stay withdrawn. Returns false if the caller is no administrator, or if the person was merged with another.';

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

-- An administrator gives and ends roles. Nobody ends their own role as administrator, so a change always leaves one who can
-- sign in: the caller. If two administrators end each other's role, the second waits for the lock, and is no longer an
-- administrator then.
create function certvakt.people_of(organisation uuid, containing text, of_person uuid, after_id uuid, how_many bigint)
returns table (
  person_id uuid, name text, has_login boolean, is_invited boolean, has_address boolean, roles text[], chapter_ids uuid[], chapters text[])
language plpgsql stable security definer set search_path = '' rows 50 as $$
#variable_conflict use_column
begin
  if people_of.organisation = any (certvakt.closed_organisations('certifications')) or not exists (
    select from certvakt.visible_memberships m
    where m.person_id = certvakt.current_person() and m.organisation_id = people_of.organisation and m.role = 'org_admin') then
    return;
  end if;
  return query
  with candidate as (
    select m.person_id from certvakt.visible_memberships m
    where people_of.containing is null and people_of.of_person is null and m.organisation_id = people_of.organisation
      and m.role = 'coordinator'
    union
    select m.person_id from certvakt.visible_memberships m
    where people_of.containing is null and people_of.of_person is null and m.organisation_id = people_of.organisation
      and m.role = 'org_admin'
    union
    select s.id from certvakt.search_people(people_of.containing, null, null, null, null) s
    where people_of.containing is not null and exists (
      select from certvakt.visible_memberships m where m.person_id = s.id and m.organisation_id = people_of.organisation)
    union
    select m.person_id from certvakt.visible_memberships m
    where m.person_id = people_of.of_person and m.organisation_id = people_of.organisation
    -- Those whose last role was ended can get one again.
    union
    select v.person_id from certvakt.person_changes v
    where v.organisation_id = people_of.organisation and v.kind in ('relieved', 'demoted', 'retired')
      and (people_of.containing is not null or v.person_id = people_of.of_person)
  ),
  found as materialized (
    select p.id, coalesce(n.name, p.name, '–') as name,
      coalesce(certvakt.alphabetical(n.name, n.family_name), certvakt.alphabetical(coalesce(p.name, '–'), p.family_name)) as place
    from candidate c
    join certvakt.people p on p.id = c.person_id
    left join certvakt.person_names n on n.person_id = p.id and n.organisation_id = people_of.organisation
    where p.erased_at is null
      and (people_of.containing is null or coalesce(n.name_folded, p.name_folded) like people_of.containing)
      and not exists (
        select from certvakt.ended_people e where e.person_id = p.id and e.organisation_id = people_of.organisation)
  )
  select f.id, f.name,
    exists (select from certvakt.identities i where i.person_id = f.id),
    exists (select from certvakt.invitations i where i.person_id = f.id and i.used_at is null and i.expires_at > now())
      or exists (
        select from certvakt.mail_queue q where q.person_id = f.id and q.kind = 'invitation' and q.mailed_at is null),
    exists (
      select from certvakt.contact_points a
      where a.person_id = f.id and a.kind = 'email' and (a.organisation_id is null or a.organisation_id = people_of.organisation)),
    held.roles, held.chapter_ids, held.chapters
  from (
    select f.id, f.name, f.place from found f
    where people_of.after_id is null or (f.place, f.id) > (
      select a.place, a.id from found a where a.id = people_of.after_id)
    order by f.place, f.id
    limit people_of.how_many
  ) f
  left join lateral (
    select array_agg(m.role order by m.place) as roles, array_agg(m.id order by m.place) as chapter_ids,
      array_agg(m.name order by m.place) as chapters
    from (
      select m.role, h.id, h.name, row_number() over (order by m.role, certvakt.alphabetical(h.name), h.id) as place
      from certvakt.visible_memberships m join certvakt.chapters h on h.id = m.chapter_id
      where m.person_id = f.id and m.organisation_id = people_of.organisation) m
  ) held on true
  order by f.place, f.id;
end
$$;
comment on function certvakt.people_of is
  'Returns people of an organisation to its administrators, by name, with their roles and whether they can sign in: its coordinators and administrators; with containing, everybody whose folded name is like it; with of_person, that one. At most how_many, after the given one.';

create function certvakt.change_of_role(role text, is_given boolean) returns text
language sql immutable set search_path = ''
return case role
  when 'mentor' then case when is_given then 'joined' else 'retired' end
  when 'coordinator' then case when is_given then 'appointed' else 'relieved' end
  else case when is_given then 'promoted' else 'demoted' end end;
comment on function certvakt.change_of_role is 'Returns the kind of the change by which somebody gets or loses a role.';

create function certvakt.add_person(
  person uuid, organisation uuid, chapter uuid, role text, name text, email text, phone text) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  place uuid := add_person.chapter;
begin
  -- As in give_role.
  if not certvakt.administers(add_person.organisation) then
    return false;
  end if;
  perform from certvakt.organisations o where o.id = add_person.organisation for no key update;
  if add_person.role = 'org_admin' then
    select h.id into place from certvakt.chapters h
    where h.organisation_id = add_person.organisation and h.parent_id is null order by h.id limit 1;
  end if;
  if not certvakt.administers(add_person.organisation)
    or add_person.organisation = any (certvakt.closed_organisations('certifications'))
    or not exists (select from certvakt.chapters h where h.id = place and h.organisation_id = add_person.organisation) then
    return false;
  end if;
  -- A repeated request, or an id that belongs to somebody else.
  if exists (select from certvakt.people p where p.id = add_person.person) then
    return exists (
      select from certvakt.person_changes v
      where v.person_id = add_person.person and v.organisation_id = add_person.organisation
        and v.made_by = certvakt.current_person() and v.kind = certvakt.change_of_role(add_person.role, true));
  end if;
  perform certvakt.insert_person(
    add_person.person, add_person.organisation, place, add_person.role, add_person.name, add_person.email, add_person.phone);
  insert into certvakt.person_changes (organisation_id, person_id, kind, chapter_after, made_by)
  values (add_person.organisation, add_person.person, certvakt.change_of_role(add_person.role, true),
    case when add_person.role <> 'org_admin' then place end, certvakt.current_person());
  return true;
end
$$;
comment on function certvakt.add_person is
  'Adds a person with their first role in an organisation, by an administrator, under an id that the caller chose. A repeated call has no effect. Returns false if the caller may not, or if the chapter does not belong to the organisation.';

create function certvakt.namesakes(organisation uuid, name text)
returns table (person_id uuid, name text, chapters text[], has_ended boolean, certification_id uuid)
language sql stable security definer set search_path = '' rows 5
begin atomic
  select k.id, k.name,
    array(
      select h.name from certvakt.chapters h
      where h.organisation_id = namesakes.organisation and (
        h.id in (select m.chapter_id from certvakt.memberships m where m.person_id = k.id)
        or h.id in (select c.chapter_id from public.peer_mentor_certifications c where c.peer_mentor_id = k.id))
      order by certvakt.alphabetical(h.name), h.id),
    exists (
      select from certvakt.ended_people e where e.person_id = k.id and e.organisation_id = namesakes.organisation),
    (select c.id from public.peer_mentor_certifications c
     where c.peer_mentor_id = k.id and c.organisation_id = namesakes.organisation order by c.created_at desc, c.id limit 1)
  from (
    select n.person_id as id, n.name from certvakt.person_names n
    where n.organisation_id = namesakes.organisation and n.name_folded = certvakt.folded(namesakes.name)
    union
    select p.id, p.name from certvakt.people p
    where p.name_folded = certvakt.folded(namesakes.name)
      and exists (
        select from certvakt.memberships m where m.person_id = p.id and m.organisation_id = namesakes.organisation)
      and not exists (
        select from certvakt.person_names n where n.person_id = p.id and n.organisation_id = namesakes.organisation)
  ) k
  where certvakt.administers(namesakes.organisation)
    and not namesakes.organisation = any (certvakt.closed_organisations('certifications'))
    -- Somebody who was merged is the other person now.
    and not exists (
      select from certvakt.person_changes v
      where v.person_id = k.id and v.organisation_id = namesakes.organisation and v.kind = 'merged')
  order by certvakt.alphabetical(k.name), k.id
  limit 20;
end;
comment on function certvakt.namesakes is
  'Returns the people of an organisation with a name, folded, to its administrators: their chapters, whether they died or left, and their last certification. At most 20.';

create function certvakt.give_role(person uuid, organisation uuid, role text, chapter uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  place uuid := give_role.chapter;
begin
  -- Only an administrator can make others wait for the lock.
  if not certvakt.administers(give_role.organisation) then
    return false;
  end if;
  -- An end takes the same lock, so nobody who has just ended gets a role, and the caller may have lost theirs meanwhile.
  perform from certvakt.organisations o where o.id = give_role.organisation for no key update;
  if give_role.role = 'org_admin' then
    -- The role applies to the whole organisation. Its row names the first top-level chapter, because a membership needs one.
    select h.id into place from certvakt.chapters h
    where h.organisation_id = give_role.organisation and h.parent_id is null order by h.id limit 1;
  end if;
  if not certvakt.administers(give_role.organisation) or give_role.role not in ('mentor', 'coordinator', 'org_admin')
    or not exists (select from certvakt.people_of(give_role.organisation, null, give_role.person, null, 1))
    or not exists (select from certvakt.chapters h where h.id = place and h.organisation_id = give_role.organisation) then
    return false;
  end if;
  if give_role.role = 'org_admin' and exists (
    select from certvakt.memberships m
    where m.person_id = give_role.person and m.organisation_id = give_role.organisation and m.role = 'org_admin') then
    return true;
  end if;
  with given as (
    insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
    values (give_role.organisation, place, give_role.person, give_role.role)
    on conflict do nothing
    returning person_id
  )
  insert into certvakt.person_changes (organisation_id, person_id, kind, chapter_after, made_by)
  select give_role.organisation, g.person_id, certvakt.change_of_role(give_role.role, true),
    case when give_role.role <> 'org_admin' then place end, certvakt.current_person()
  from given g;
  return true;
end
$$;
comment on function certvakt.give_role is
  'Makes somebody of an organisation mentor or coordinator of a chapter or administrator (org_admin, without a chapter), by an administrator. Returns false if the caller may not, or if the person or the chapter does not belong to the organisation.';

create function certvakt.end_role(person uuid, organisation uuid, role text, chapter uuid, may_be_last boolean) returns text
language plpgsql security definer set search_path = '' as $$
begin
  -- Only an administrator can make others wait for the lock, and may have lost the role while waiting for it.
  if not certvakt.administers(end_role.organisation) then
    return 'forbidden';
  end if;
  perform from certvakt.organisations o where o.id = end_role.organisation for no key update;
  if not certvakt.administers(end_role.organisation) or end_role.role not in ('mentor', 'coordinator', 'org_admin')
    or end_role.organisation = any (certvakt.closed_organisations('certifications')) then
    return 'forbidden';
  -- The end of a mentor withdraws certifications, and nobody changes their own.
  elsif end_role.role <> 'coordinator' and end_role.person = certvakt.current_person() then
    return 'own';
  elsif end_role.role = 'mentor' and exists (
    select from certvakt.memberships m
    where m.person_id = end_role.person and m.organisation_id = end_role.organisation and m.chapter_id = end_role.chapter
      and m.role = 'mentor') then
    if exists (
      select from certvakt.memberships m
      where m.person_id = end_role.person and m.organisation_id = end_role.organisation and m.chapter_id <> end_role.chapter
        and m.role = 'mentor') then
      if exists (
        select from public.peer_mentor_certifications c
        where c.peer_mentor_id = end_role.person and c.chapter_id = end_role.chapter
          and not certvakt.is_withdrawn(c.status, c.renewal_history)) then
        return 'certified';
      end if;
    elsif not end_role.may_be_last then
      return 'last';
    else
      -- The trigger delists them at once. Those who become a mentor again consent anew.
      update certvakt.listings l set listing_consent_at = null
      where l.person_id = end_role.person and l.organisation_id = end_role.organisation and l.listing_consent_at is not null;
    end if;
  elsif end_role.role = 'coordinator' and not end_role.may_be_last and exists (
    select from certvakt.memberships m
    where m.person_id = end_role.person and m.organisation_id = end_role.organisation and m.chapter_id = end_role.chapter
      and m.role = 'coordinator')
    and not exists (
      select from certvakt.memberships m
      where m.person_id <> end_role.person and m.organisation_id = end_role.organisation and m.chapter_id = end_role.chapter
        and m.role = 'coordinator') then
    return 'last';
  end if;
  with ended as (
    delete from certvakt.memberships m
    where m.person_id = end_role.person and m.organisation_id = end_role.organisation and m.role = end_role.role
      and (end_role.role = 'org_admin' or m.chapter_id = end_role.chapter)
    returning m.person_id
  )
  insert into certvakt.person_changes (organisation_id, person_id, kind, chapter_before, made_by)
  select distinct end_role.organisation, e.person_id, certvakt.change_of_role(end_role.role, false),
    case when end_role.role <> 'org_admin' then end_role.chapter end, certvakt.current_person()
  from ended e;
  return 'ended';
end
$$;
comment on function certvakt.end_role is
  'Ends the role of somebody as mentor or coordinator of a chapter or as administrator (org_admin, without a chapter), by another administrator; a coordinator may end their own. With the last role as a mentor, the consents to listings end, and the caller withdraws the certifications in the same transaction. Returns ended, also if they do not have it, or why not: forbidden; own, for the caller''s own role as administrator or mentor; certified, for a mentor with certifications of the chapter who is a mentor elsewhere too; last, for the only coordinator of the chapter, or the last role of a mentor, unless may_be_last.';

create function certvakt.withdraw_invitation(person uuid, organisation uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  if not certvakt.administers(withdraw_invitation.organisation) or not exists (
    select from certvakt.people_of(withdraw_invitation.organisation, null, withdraw_invitation.person, null, 1)) then
    return false;
  end if;
  -- One to an address that only another organisation knows is not this one's.
  delete from certvakt.invitations i
  where i.person_id = withdraw_invitation.person and i.used_at is null and (i.address is null or exists (
    select from certvakt.contact_points a
    where a.person_id = i.person_id and a.kind = 'email' and lower(a.address) = lower(i.address)
      and (a.organisation_id is null or a.organisation_id = withdraw_invitation.organisation)));
  delete from certvakt.mail_queue q using certvakt.contact_points a
  where q.person_id = withdraw_invitation.person and q.kind = 'invitation' and a.id = q.contact_point_id
    and (a.organisation_id is null or a.organisation_id = withdraw_invitation.organisation);
  return true;
end
$$;
comment on function certvakt.withdraw_invitation is
  'Withdraws the open invitations of somebody of an organisation, by an administrator. Returns false if the caller may not, or if the person does not belong to the organisation.';

-- Certifications never change their mentor, because notices went to this one. So those of the duplicate end, and the
-- replacements say which notices count for their successors.
create function certvakt.replace_certification(certification uuid, survivor uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  withdrawal text := '{"kind": "withdrawn", "source": "api"}';
  old public.peer_mentor_certifications;
  twin public.peer_mentor_certifications;
  is_over boolean;
  is_later boolean;
  spare text;
  successor uuid;
begin
  select * into old from public.peer_mentor_certifications c where c.id = certification for update;
  select * into twin from public.peer_mentor_certifications c
  where c.peer_mentor_id = survivor and c.organisation_id = old.organisation_id and c.certification_type = old.certification_type
    and not certvakt.is_withdrawn(c.status, c.renewal_history)
  order by c.expires_at desc nulls first, c.id limit 1 for update;
  is_over := certvakt.is_withdrawn(old.status, old.renewal_history);
  -- The number moves before another certification can have it.
  if not is_over then
    perform set_config('certvakt.change', withdrawal, true);
    update public.peer_mentor_certifications c set status = 'suspended', external_id = null where c.id = old.id;
    perform set_config('certvakt.change', '', true);
  elsif old.external_id is not null then
    update public.peer_mentor_certifications c set external_id = null where c.id = old.id;
  end if;
  if is_over then
    spare := old.external_id;
  elsif twin.id is null then
    insert into public.peer_mentor_certifications
      (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at, expires_at, status, suspended_until)
    values (old.organisation_id, old.chapter_id, survivor, old.certification_type, old.external_id, old.issued_at,
      old.expires_at, old.status, old.suspended_until)
    returning id into successor;
  else
    successor := twin.id;
    is_later := coalesce(old.expires_at, 'infinity') > coalesce(twin.expires_at, 'infinity');
    -- The number of the later date continues, because the register keeps that one up to date.
    spare := case when is_later and old.external_id is not null then twin.external_id
      when twin.external_id is not null then old.external_id end;
    if is_later then
      perform set_config('certvakt.change', '{"kind": "corrected", "source": "api"}', true);
      update public.peer_mentor_certifications c
      set expires_at = old.expires_at, status = case when c.status = 'expired' then 'active' else c.status end,
        external_id = coalesce(old.external_id, c.external_id)
      where c.id = twin.id;
      perform set_config('certvakt.change', '', true);
    elsif twin.external_id is null and old.external_id is not null then
      update public.peer_mentor_certifications c set external_id = old.external_id where c.id = twin.id;
    end if;
  end if;
  -- A row of a register with the other number finds the survivor, and no row brings back what is withdrawn.
  if spare is not null then
    with numbered as (
      insert into public.peer_mentor_certifications
        (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at, expires_at, status)
      values (old.organisation_id, old.chapter_id, survivor, old.certification_type, spare, old.issued_at,
        case when is_later then twin.expires_at else old.expires_at end, 'suspended')
      returning id
    )
    select n.id into certification from numbered n;
    perform set_config('certvakt.change', withdrawal, true);
    update public.peer_mentor_certifications c set status = 'suspended' where c.id = replace_certification.certification;
    perform set_config('certvakt.change', '', true);
  end if;
  if successor is not null then
    update certvakt.replacements r set successor_id = successor where r.successor_id = old.id;
    insert into certvakt.replacements (certification_id, successor_id)
    select r.id, successor from (select old.id union select replace_certification.certification) r (id)
    on conflict (certification_id) do update set successor_id = excluded.successor_id, replaced_at = now();
  end if;
end
$$;
comment on function certvakt.replace_certification is
  'Withdraws a certification, and lets one of another person continue it: theirs of the same type with the later date of both, or a new one. The number in the register moves along.';

create function certvakt.merge_people(duplicate uuid, survivor uuid, organisation uuid) returns text
language plpgsql security definer set search_path = '' as $$
declare
  caller uuid := certvakt.current_person();
  whose uuid[] := array[duplicate, survivor];
  known uuid[];
begin
  -- Imports take the same lock.
  perform from certvakt.organisations o where o.id = merge_people.organisation for no key update;
  perform from certvakt.people p where p.id = any (whose) order by p.id for no key update;
  known := array(
    select m.person_id from certvakt.memberships m where m.organisation_id = merge_people.organisation and m.person_id = any (whose)
    union
    select c.peer_mentor_id from public.peer_mentor_certifications c
    where c.organisation_id = merge_people.organisation and c.peer_mentor_id = any (whose));
  if not certvakt.administers(merge_people.organisation) or caller = any (whose) or cardinality(known) <> 2
    or merge_people.organisation = any (certvakt.closed_organisations('certifications')) then
    return 'forbidden';
  elsif exists (
    select from certvakt.person_changes v
    where v.person_id = duplicate and v.organisation_id = merge_people.organisation and v.kind = 'merged'
      and v.successor_id = survivor) then
    return 'merged';
  elsif exists (select from certvakt.people p where p.id = any (whose) and p.erased_at is not null) or exists (
    select from certvakt.ended_people e
    where e.person_id = any (whose) and e.organisation_id = merge_people.organisation) then
    return 'ended';
  elsif exists (select from certvakt.identities i where i.person_id = duplicate) then
    return 'login';
  -- Nobody gets a role by a merge.
  elsif exists (
    select from certvakt.memberships m
    where m.person_id = duplicate and m.organisation_id = merge_people.organisation and m.role <> 'mentor') then
    return 'role';
  end if;
  insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
  select m.organisation_id, m.chapter_id, survivor, 'mentor' from certvakt.memberships m
  where m.person_id = duplicate and m.organisation_id = merge_people.organisation
  on conflict do nothing;
  perform certvakt.replace_certification(c.id, survivor)
  from (
    select c.id from public.peer_mentor_certifications c
    where c.peer_mentor_id = duplicate and c.organisation_id = merge_people.organisation
    order by c.expires_at desc nulls first, c.id) c;
  delete from certvakt.memberships m where m.person_id = duplicate and m.organisation_id = merge_people.organisation;
  update certvakt.register_ids i set person_id = survivor
  where i.person_id = duplicate and i.organisation_id = merge_people.organisation;
  -- One that a channel has taken ends by itself, and then counts as notified.
  update certvakt.deliveries d
  set state = 'cancelled', reason = 'person merged', finished_at = now(), available_at = null, lease_token = null, lease_until = null
  from public.cert_notification_log l
  join public.peer_mentor_certifications c on c.id = l.certification_id
  where l.recipient_id = duplicate and c.organisation_id = merge_people.organisation and d.id = l.id
    and d.state in ('pending', 'unreachable');
  update certvakt.listings l set listing_consent_at = null
  where l.person_id = duplicate and l.organisation_id = merge_people.organisation and l.listing_consent_at is not null;
  -- An opt-out is the person's own decision, so it stays.
  insert into certvakt.channel_opt_outs (person_id, kind)
  select survivor, o.kind from certvakt.channel_opt_outs o where o.person_id = duplicate
  on conflict do nothing;
  insert into certvakt.person_changes (organisation_id, person_id, kind, successor_id, made_by) values
    (merge_people.organisation, duplicate, 'merged', survivor, caller),
    (merge_people.organisation, survivor, 'absorbed', null, caller);
  if certvakt.has_ended(duplicate) then
    delete from certvakt.invitations i where i.person_id = duplicate;
    delete from certvakt.mail_queue q where q.person_id = duplicate and (q.mailed_at is null or q.kind in ('link', 'invitation'));
  end if;
  return 'merged';
end
$$;
comment on function certvakt.merge_people is
  'Records that two people of an organisation are the same, by an administrator: the survivor gets the certifications, numbers and chapters of the duplicate, and nothing else. Returns merged, or why not: forbidden; ended, if one of them died, left, was erased or merged; login, if the duplicate has one; role, if the duplicate is more than a mentor.';

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

-- An administrator exports and erases people whom no other organisation knows. What several know, the operator exports and
-- erases: no organisation sees or changes the data of another.
create function certvakt.may_erase(person uuid, organisation uuid) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select certvakt.administers(may_erase.organisation) and may_erase.person <> certvakt.current_person()
    and exists (select from certvakt.people p where p.id = may_erase.person and p.erased_at is null)
    and coalesce((
      select bool_and(known.organisation_id = may_erase.organisation) from (
        select m.organisation_id from certvakt.memberships m where m.person_id = may_erase.person
        union all
        select c.organisation_id from public.peer_mentor_certifications c where c.peer_mentor_id = may_erase.person
        union all
        select v.organisation_id from certvakt.person_changes v where v.person_id = may_erase.person
        union all
        select n.organisation_id from certvakt.person_names n where n.person_id = may_erase.person
        union all
        select i.organisation_id from certvakt.register_ids i where i.person_id = may_erase.person
        union all
        select l.organisation_id from certvakt.listings l where l.person_id = may_erase.person
        union all
        select k.organisation_id from certvakt.contact_points k
        where k.person_id = may_erase.person and k.organisation_id is not null) known), false);
end;
comment on function certvakt.may_erase is
  'Returns whether the caller may export and erase the data of a person: an administrator of the only organisation that knows them, for somebody else.';

-- The history of a person, for those who see a certification of theirs in the organisation.
grant select (id, organisation_id, person_id, kind, chapter_before, chapter_after, made_at, made_by)
  on certvakt.person_changes to authenticated;
create policy people_see on certvakt.person_changes for select to authenticated using (
  exists (
    select from public.peer_mentor_certifications c
    where c.peer_mentor_id = person_changes.person_id and c.organisation_id = person_changes.organisation_id));

revoke all on function certvakt.administers(uuid), certvakt.may_end(uuid, uuid), certvakt.end_person(uuid, uuid, text),
  certvakt.return_person(uuid, uuid), certvakt.move_mentors(uuid[], uuid, uuid),
  certvakt.hand_over_chapter(uuid, uuid, uuid[]), certvakt.replace_certification(uuid, uuid),
  certvakt.merge_people(uuid, uuid, uuid), certvakt.people_of(uuid, text, uuid, uuid, bigint), certvakt.give_role(uuid, uuid, text, uuid),
  certvakt.end_role(uuid, uuid, text, uuid, boolean), certvakt.withdraw_invitation(uuid, uuid), certvakt.change_of_role(text, boolean),
  certvakt.add_person(uuid, uuid, uuid, text, text, text, text), certvakt.namesakes(uuid, text), certvakt.may_erase(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function certvakt.administers(uuid), certvakt.replace_certification(uuid, uuid), certvakt.people_of(uuid, text, uuid, uuid, bigint),
  certvakt.change_of_role(text, boolean) to certvakt_definer;
grant execute on function certvakt.administers(uuid), certvakt.may_end(uuid, uuid), certvakt.end_person(uuid, uuid, text),
  certvakt.return_person(uuid, uuid), certvakt.move_mentors(uuid[], uuid, uuid),
  certvakt.hand_over_chapter(uuid, uuid, uuid[]), certvakt.merge_people(uuid, uuid, uuid),
  certvakt.people_of(uuid, text, uuid, uuid, bigint), certvakt.give_role(uuid, uuid, text, uuid),
  certvakt.end_role(uuid, uuid, text, uuid, boolean), certvakt.withdraw_invitation(uuid, uuid),
  certvakt.add_person(uuid, uuid, uuid, text, text, text, text), certvakt.namesakes(uuid, text), certvakt.may_erase(uuid, uuid) to authenticated;
grant execute on function certvakt.may_erase(uuid, uuid) to certvakt_registrar;
alter function certvakt.administers(uuid) owner to certvakt_definer;
alter function certvakt.may_end(uuid, uuid) owner to certvakt_definer;
alter function certvakt.end_person(uuid, uuid, text) owner to certvakt_definer;
alter function certvakt.return_person(uuid, uuid) owner to certvakt_definer;
alter function certvakt.move_mentors(uuid[], uuid, uuid) owner to certvakt_definer;
alter function certvakt.hand_over_chapter(uuid, uuid, uuid[]) owner to certvakt_definer;
alter function certvakt.replace_certification(uuid, uuid) owner to certvakt_definer;
alter function certvakt.merge_people(uuid, uuid, uuid) owner to certvakt_definer;
alter function certvakt.people_of(uuid, text, uuid, uuid, bigint) owner to certvakt_definer;
alter function certvakt.give_role(uuid, uuid, text, uuid) owner to certvakt_definer;
alter function certvakt.end_role(uuid, uuid, text, uuid, boolean) owner to certvakt_definer;
alter function certvakt.withdraw_invitation(uuid, uuid) owner to certvakt_definer;
alter function certvakt.add_person(uuid, uuid, uuid, text, text, text, text) owner to certvakt_definer;
alter function certvakt.namesakes(uuid, text) owner to certvakt_definer;
alter function certvakt.may_erase(uuid, uuid) owner to certvakt_definer;
