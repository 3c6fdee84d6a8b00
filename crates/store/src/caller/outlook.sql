-- Per chapter that the caller manages, and month: the valid certifications that expire in it, and the mentors whose last
-- certification of the chapter does. Month 0 is the present one; null is later than the last month, or never.
--
-- $1 organisations   $2 the start of today in each   $3 number of months
with days as materialized (
  select d.organisation_id, d.today, o.time_zone
  from unnest($1::uuid[], $2::timestamptz[]) as d (organisation_id, today)
  join certvakt.organisations o on o.id = d.organisation_id
),
valid as (
  select c.chapter_id, x.month,
    -- Those that expire last come first, and those that never expire before them.
    row_number() over (partition by c.chapter_id, c.peer_mentor_id order by c.expires_at desc nulls first, c.id) = 1 as is_last
  from days d
  join public.peer_mentor_certifications c on c.organisation_id = d.organisation_id
    and c.chapter_id = any ((select certvakt.visible_chapters())::uuid[])
    and case when c.expires_at is null then 'infinity' else c.expires_at end >= d.today
    and not c.is_suspended
  cross join lateral (
    select ((extract(year from c.expires_at at time zone d.time_zone) - extract(year from d.today at time zone d.time_zone)) * 12
      + extract(month from c.expires_at at time zone d.time_zone) - extract(month from d.today at time zone d.time_zone))::integer as months
  ) m
  cross join lateral (select case when m.months < $3 then m.months end as month) x
)
select v.chapter_id as "chapter_id!", v.month, count(*) as "certifications!", count(*) filter (where v.is_last) as "mentors!"
from valid v
group by v.chapter_id, v.month
