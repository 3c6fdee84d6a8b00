-- The addresses of a register replace the old ones, for this organisation.
with known as materialized (
  select m.person_id, string_to_array(m.emails, ' ') as emails, m.person_is_new, m.emails_are_complete
  from import_matches m
  where m.email_differs
),
gone as (
  delete from certvakt.contact_points k
  using known
  where k.person_id = known.person_id and k.organisation_id = $1 and k.kind = 'email' and not known.person_is_new
    and known.emails_are_complete and lower(k.address) not in (select lower(a) from unnest(known.emails) a)
)
insert into certvakt.contact_points (person_id, organisation_id, kind, address)
select known.person_id, $1, 'email', a
from known cross join unnest(known.emails) a
where known.person_is_new or not exists (
  select from certvakt.contact_points k
  where k.person_id = known.person_id and k.organisation_id = $1 and k.kind = 'email' and lower(k.address) = lower(a))
on conflict do nothing
