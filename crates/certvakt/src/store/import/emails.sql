-- A register knows one address of a person: a new one takes the place of the old.
with gone as (
  delete from certvakt.contact_points k
  using import_matches m
  where k.person_id = m.person_id and k.kind = 'email' and m.email_differs and not m.person_is_new
)
insert into certvakt.contact_points (person_id, kind, address)
select person_id, 'email', email from import_matches
where email_differs
on conflict (person_id, kind, address) do nothing
