-- $1 organisations   $2 the start of today in each   $3, $4 and $5 the end of the next 7, 30 and 90 days
select c.organisation_id, c.chapter_id, count(*) as "certifications!",
  count(*) filter (where is_valid) as "valid!",
  count(*) filter (where is_valid and c.expires_at is null) as "never_expire!",
  count(*) filter (where is_valid and c.expires_at < d.after_90) as "within_90_days!",
  count(*) filter (where is_valid and c.expires_at < d.after_30) as "within_30_days!",
  count(*) filter (where is_valid and c.expires_at < d.after_7) as "within_7_days!",
  count(*) filter (where c.status <> 'suspended' and c.expires_at < d.today) as "lapsed!",
  count(*) filter (where c.status = 'suspended') as "suspended!"
from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
  as d (organisation_id, today, after_7, after_30, after_90)
join public.peer_mentor_certifications c on c.organisation_id = d.organisation_id
cross join lateral (select c.status <> 'suspended' and (c.expires_at is null or c.expires_at >= d.today) as is_valid) valid
group by c.organisation_id, c.chapter_id
order by c.organisation_id, c.chapter_id
