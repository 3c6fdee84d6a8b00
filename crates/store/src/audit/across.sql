select e.number, e.at, e.person_id, e.method, e.resource, e.resource_id,
  array(select coalesce(o.slug, one::text) from unnest(e.organisations_of_person) one
        left join certvakt.organisations o on o.id = one order by 1) as "of_person!",
  array(select coalesce(o.slug, one::text) from unnest(e.organisations_of_rows) one
        left join certvakt.organisations o on o.id = one
        where one <> all (e.organisations_of_person) order by 1) as "of_others!"
from certvakt.access_events e
where not e.organisations_of_rows <@ e.organisations_of_person
order by e.number desc
limit $1
