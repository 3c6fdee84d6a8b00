-- The content of digests, one row for each mentor, by chapter: the chapter with the most urgent one first. A person who
-- no longer gets one has no row; a person whom nothing but a held run or a partner needs has one without a mentor.
--
-- $1 organisations and $2 people of the digests   $3 the organisations, each once   $4 today in each   $5 maximum number of
-- mentors: a chapter whose mentors all come later has one row, with its numbers.
with asked as (
  select * from unnest($1::uuid[], $2::uuid[]) as asked (organisation_id, person_id)
),
recipients as materialized (
  select r.organisation_id, r.person_id, r.chapter_id
  from certvakt.digest_recipients($3) r
  join asked on asked.organisation_id = r.organisation_id and asked.person_id = r.person_id
),
-- A mentor with several certifications appears with the most urgent one.
needed as (
  select r.person_id, i.*,
    row_number() over (partition by r.organisation_id, r.person_id, i.mentor_id order by i.reason, i.last_valid_day, i.certification_id) as of_mentor
  from recipients r
  join certvakt.digest_items($3, $4, array(select distinct x.chapter_id from recipients x)) i on i.chapter_id = r.chapter_id and i.mentor_id <> r.person_id
),
ranked as (
  select n.*,
    row_number() over (partition by n.organisation_id, n.person_id order by n.reason, n.last_valid_day, n.certification_id) as number,
    row_number() over (chapters order by n.reason, n.last_valid_day, n.certification_id) as of_chapter,
    array[count(*) filter (where n.reason = 1) over chapters, count(*) filter (where n.reason = 2) over chapters,
      count(*) filter (where n.reason = 3) over chapters, count(*) filter (where n.reason = 4) over chapters] as counts
  from needed n where n.of_mentor = 1
  window chapters as (partition by n.organisation_id, n.person_id, n.chapter_id)
),
partners as (
  select p.organisation_id, p.person_id, jsonb_agg(
    jsonb_build_object('name', p.partner, 'is_stopped', p.is_stopped, 'reports_waiting', p.reports_waiting) order by p.partner) as alarms
  from certvakt.digest_partners($3, $2) p
  group by p.organisation_id, p.person_id
)
select a.organisation_id as "organisation_id!", a.person_id as "person_id!", s.unsubscribe, held.run_date as "held_on?",
  coalesce(l.alarms, '[]') as "partners!: Json<Vec<Partner>>",
  r.chapter_id as "chapter_id?", h.name as "chapter?", r.counts as "counts?", r.number <= $5 as "is_listed?",
  r.certification_id as "certification_id?", r.reason as "reason?", r.last_valid_day as "last_valid_day?",
  case when o.digest_names then coalesce(n.name, p.name, '–') || ', ' || t.name end as mentor
from asked a
join certvakt.organisations o on o.id = a.organisation_id
join certvakt.digest_settings s on s.person_id = a.person_id and s.schedule <> 'off'
left join lateral (
  select x.run_date, x.state, x.decided_at from certvakt.runs x
  where x.organisation_id = a.organisation_id and x.state <> 'missed' order by x.id desc limit 1
) held on held.state = 'held' and held.decided_at is null
left join partners l on l.organisation_id = a.organisation_id and l.person_id = a.person_id
left join ranked r on r.organisation_id = a.organisation_id and r.person_id = a.person_id and (r.number <= $5 or r.of_chapter = 1)
left join certvakt.chapters h on h.id = r.chapter_id
left join certvakt.certification_types t on t.organisation_id = r.organisation_id and t.code = r.certification_type
left join certvakt.people p on p.id = r.mentor_id
left join certvakt.person_names n on n.person_id = r.mentor_id and n.organisation_id = r.organisation_id
where (r.number is not null or held.state is not null or l.alarms is not null)
  and exists (
    select from recipients x where x.organisation_id = a.organisation_id and x.person_id = a.person_id)
order by a.organisation_id, a.person_id, min(r.number) over (partition by a.organisation_id, a.person_id, r.chapter_id), r.number
