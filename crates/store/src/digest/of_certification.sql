-- $1 certification
select g.on_date, g.kind, count(*) as "recipients!", count(g.mailed_at) as "mailed!"
from public.peer_mentor_certifications c
cross join lateral certvakt.digest_recipients(array[c.organisation_id]) r
join certvakt.digests g on g.organisation_id = c.organisation_id and g.person_id = r.person_id
where c.id = $1 and r.chapter_id = c.chapter_id
group by g.on_date, g.kind
order by g.on_date desc, g.kind
limit 10
