-- A device on which another person of the organisation signed in is that person's now. What another
-- organisation knows of it is not ours to take.
with gone as (
  delete from certvakt.contact_points k
  using import_matches m
  where m.push_token_differs and k.kind = 'push' and k.address = m.push_token and k.person_id <> m.person_id
    and exists (
      select from public.peer_mentor_certifications c
      where c.organisation_id = $1 and c.peer_mentor_id = k.person_id)
)
insert into certvakt.contact_points (person_id, kind, address)
select person_id, 'push', push_token from import_matches
where push_token_differs
on conflict (person_id, kind, address) do nothing
