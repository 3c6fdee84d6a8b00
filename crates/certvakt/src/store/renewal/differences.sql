with moved as (
  select e.certification_id, count(*) as entries, min(e.number) as first, max(e.number) as last,
    certvakt.newest(jsonb_agg(e.entry order by e.number)) as newest
  from certvakt.certification_renewal_events e
  join public.peer_mentor_certifications c on c.id = e.certification_id
  where $1::uuid is null or c.organisation_id = $1
  group by e.certification_id
),
different as (
  select m.certification_id
  from moved m
  join public.peer_mentor_certifications c on c.id = m.certification_id
  where (m.first, m.last) <> (1, m.entries) or c.renewal_history <> m.newest
  order by m.certification_id limit 100
)
select (select count(*) from moved) as "moved!", array(select certification_id from different) as "different!"
