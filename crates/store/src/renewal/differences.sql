-- Besides these rows, a certification contains its newest twenty entries, or up to two hundred until it changes.
with moved as (
  select e.certification_id, count(*) as entries, min(e.number) as first, max(e.number) as last,
    jsonb_agg(e.entry order by e.number) filter (where e.number > e.length - e.held) as newest
  from (
    select e.certification_id, e.number, e.entry, jsonb_array_length(c.renewal_history) as held,
      max(e.number) over (partition by e.certification_id) as length
    from certvakt.certification_renewal_events e
    join public.peer_mentor_certifications c on c.id = e.certification_id
    where $1::uuid is null or c.organisation_id = $1) e
  group by e.certification_id
),
different as (
  select m.certification_id
  from moved m
  join public.peer_mentor_certifications c on c.id = m.certification_id
  where (m.first, m.last) <> (1, m.entries) or c.renewal_history is distinct from m.newest
    or jsonb_array_length(c.renewal_history) not between least(m.entries, 20) and 200
  order by m.certification_id limit 100
)
select (select count(*) from moved) as "moved!", array(select certification_id from different) as "different!"
