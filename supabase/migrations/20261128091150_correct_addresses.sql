-- The functions by which coordinators and administrators correct the mail addresses and phone numbers of mentors. Where an app owns
-- the hierarchy, they work too: contact points stay with certvakt.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function certvakt.may_correct_addresses(certification uuid) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select exists (
    select from certvakt.visible_certifications c
    join certvakt.people p on p.id = c.peer_mentor_id and p.erased_at is null
    where c.id = may_correct_addresses.certification and c.chapter_id = any ((select certvakt.visible_chapters())::uuid[])
      and c.peer_mentor_id <> (select certvakt.current_person())
      and not exists (
        select from certvakt.ended_people e where e.person_id = c.peer_mentor_id and e.organisation_id = c.organisation_id)
      -- A sign-in link to another address would give the coordinator the role of its owner.
      and (certvakt.administers(c.organisation_id) or not exists (
        select from certvakt.memberships m
        where m.person_id = c.peer_mentor_id and m.organisation_id = c.organisation_id and m.role <> 'mentor')));
end;
comment on function certvakt.may_correct_addresses is
  'Returns whether the caller may correct the addresses of the mentor of a certification: a coordinator of its chapter those of somebody who is only a mentor, an administrator those of anybody else.';

create function certvakt.add_address(certification uuid, kind text, address text, replaced uuid) returns text
language plpgsql security definer set search_path = '' as $$
declare
  mentor uuid;
  organisation uuid;
  known uuid;
begin
  if add_address.kind not in ('email', 'phone') or not certvakt.may_correct_addresses(add_address.certification) then
    return 'forbidden';
  end if;
  select c.peer_mentor_id, c.organisation_id into mentor, organisation
  from certvakt.visible_certifications c where c.id = add_address.certification;
  -- Two forms about the same person wait for each other.
  update certvakt.people p set id = p.id where p.id = mentor;
  select k.id into known from certvakt.contact_points k
  where k.person_id = mentor and k.organisation_id = organisation and k.kind = add_address.kind
    and lower(k.address) = lower(add_address.address);
  if known is null and (
    select count(*) from certvakt.contact_points k
    where k.person_id = mentor and k.organisation_id = organisation and k.kind = add_address.kind
      and k.id is distinct from add_address.replaced) >= 5 then
    return 'many';
  end if;
  -- First the old one, so that it gets one e-mail about the change.
  if add_address.replaced is distinct from known then
    perform certvakt.remove_address(add_address.certification, add_address.replaced);
  end if;
  if known is null then
    insert into certvakt.contact_points (person_id, organisation_id, kind, address, receives_tokens)
    values (mentor, organisation, add_address.kind, add_address.address,
      not exists (select from certvakt.identities i where i.person_id = mentor));
    insert into certvakt.person_changes (organisation_id, person_id, kind, made_by)
    values (organisation, mentor, add_address.kind || '_added', certvakt.current_person());
    return 'added';
  end if;
  -- The address works again: the worker sends what it had refused, and nothing that anybody has got.
  update certvakt.deliveries d set refused = array_remove(d.refused, known)
  from public.cert_notification_log l
  where l.recipient_id = mentor and l.id = d.id and d.organisation_id = organisation
    and d.finished_at is null and d.state = 'unreachable' and known = any (d.refused);
  return case when found then 'retried' else 'known' end;
end
$$;
comment on function certvakt.add_address is
  'Adds a mail address or a phone number to the organisation''s contact points of the mentor of a certification, and removes the one that it replaces. Returns added; known if it is there already; retried if it had refused a notice, which is then tried again; many if there are five others; forbidden if the caller may not.';

create function certvakt.remove_address(certification uuid, point uuid) returns text
language plpgsql security definer set search_path = '' as $$
declare
  removed text;
begin
  if not certvakt.may_correct_addresses(remove_address.certification) then
    return 'forbidden';
  end if;
  delete from certvakt.contact_points k using certvakt.visible_certifications c
  where c.id = remove_address.certification and k.id = remove_address.point and k.person_id = c.peer_mentor_id
    and k.organisation_id = c.organisation_id and k.kind in ('email', 'phone')
  returning k.kind into removed;
  insert into certvakt.person_changes (organisation_id, person_id, kind, made_by)
  select c.organisation_id, c.peer_mentor_id, removed || '_removed', certvakt.current_person()
  from certvakt.visible_certifications c where c.id = remove_address.certification and removed is not null;
  return case when removed is null then 'known' else 'removed' end;
end
$$;
comment on function certvakt.remove_address is
  'Removes a mail address or a phone number of the organisation from the mentor of a certification. Returns removed; known if it is not there any more; forbidden if the caller may not.';

revoke all on function certvakt.may_correct_addresses(uuid), certvakt.add_address(uuid, text, text, uuid),
  certvakt.remove_address(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function certvakt.may_correct_addresses(uuid), certvakt.add_address(uuid, text, text, uuid),
  certvakt.remove_address(uuid, uuid) to authenticated;
grant execute on function certvakt.may_correct_addresses(uuid), certvakt.remove_address(uuid, uuid) to certvakt_definer;
alter function certvakt.may_correct_addresses(uuid) owner to certvakt_definer;
alter function certvakt.add_address(uuid, text, text, uuid) owner to certvakt_definer;
alter function certvakt.remove_address(uuid, uuid) owner to certvakt_definer;
