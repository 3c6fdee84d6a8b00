-- If the register now lists a device for another person of the organisation, the device moves to that person. Devices
-- that people registered themselves, and the data of other organisations, do not change.
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
