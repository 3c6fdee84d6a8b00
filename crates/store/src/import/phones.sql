-- The phone numbers of a register replace the old ones, for this organisation.
with known as materialized (
  select m.person_id, string_to_array(m.phones, ' ') as phones, m.phones_are_complete
  from import_matches m where m.phone_differs
),
gone as (
  delete from certvakt.contact_points k
  using known
  where k.person_id = known.person_id and k.organisation_id = $1 and k.kind = 'phone'
    and known.phones_are_complete and k.address <> all (known.phones)
)
insert into certvakt.contact_points (person_id, organisation_id, kind, address)
select known.person_id, $1, 'phone', a from known cross join unnest(known.phones) a
on conflict do nothing
