-- A device that the register now gives to another person of the organisation is that person's. What another organisation
-- knows of it, and whose own it is, is not ours to take.
with gone as (
  delete from certvakt.contact_points k
  using import_matches m
  where m.push_token_differs and k.kind = 'push' and k.address = m.push_token and k.person_id <> m.person_id
    and k.organisation_id = $1
)
insert into certvakt.contact_points (person_id, organisation_id, kind, address)
select person_id, $1, 'push', push_token from import_matches
where push_token_differs
on conflict do nothing
