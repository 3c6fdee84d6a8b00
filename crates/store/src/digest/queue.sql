-- Queues the digests of a morning, in one set for all organisations whose hours have begun. The first process of a day
-- takes an organisation's day; any other waits for it, and then finds nothing.
--
-- $1 organisations   $2 today in each
with before as materialized (
  select organisation_id, last_on, queued_at from certvakt.digest_days
),
due as (
  insert into certvakt.digest_days as d (organisation_id, last_on)
  select given.organisation_id, given.today from unnest($1::uuid[], $2::date[]) as given (organisation_id, today)
  order by given.organisation_id
  on conflict (organisation_id) do update set last_on = excluded.last_on, queued_at = excluded.queued_at
  where d.last_on < excluded.last_on
  returning d.organisation_id, d.last_on as today
),
whose as (
  select array_agg(organisation_id order by organisation_id) as organisations, array_agg(today order by organisation_id) as todays
  from due
),
recipients as materialized (
  select r.* from whose cross join lateral certvakt.digest_recipients(whose.organisations) r
),
-- Few numbers for each chapter, so that a person above many chapters costs little. Nobody is told about themselves.
items as materialized (
  select i.chapter_id, own.person_id, count(*) as number, bool_or(n.is_news) as has_news,
    bool_or(n.is_news and i.reason <= 2) as has_urgent_news
  from whose cross join lateral certvakt.digest_items(whose.organisations, whose.todays, null) i
  left join before b on b.organisation_id = i.organisation_id
  cross join lateral (
    select b.last_on is null or coalesce(i.began_on > b.last_on, false) or i.changed_at > b.queued_at as is_news
  ) n
  left join (select distinct r.person_id from recipients r) own on own.person_id = i.mentor_id
  group by i.chapter_id, own.person_id
),
people as (
  select r.organisation_id, r.person_id, r.contact_point_id, coalesce(sum(i.number), 0) as number,
    coalesce(bool_or(i.has_news), false) as has_news, coalesce(bool_or(i.has_urgent_news), false) as has_urgent_news
  from recipients r
  left join items i on i.chapter_id = r.chapter_id and i.person_id is distinct from r.person_id
  group by r.organisation_id, r.person_id, r.contact_point_id
),
-- The latest run of each organisation, except missed nights, if it is held.
held as (
  select due.organisation_id, r.finished_at
  from due
  cross join lateral (
    select x.state, x.decided_at, x.finished_at from certvakt.runs x
    where x.organisation_id = due.organisation_id and x.state <> 'missed' order by x.id desc limit 1
  ) r
  where r.state = 'held' and r.decided_at is null
),
-- What partners need of each person.
partners as (
  select p.organisation_id, p.person_id, max(p.changed_at) as changed_at
  from whose
  cross join lateral certvakt.digest_partners(whose.organisations, array(select distinct r.person_id from recipients r)) p
  group by p.organisation_id, p.person_id
),
kinds as (
  select p.organisation_id, p.person_id, p.contact_point_id, due.today,
    case coalesce(s.schedule, 'weekly')
      when 'daily' then case
        when p.has_news or greatest(h.finished_at, a.changed_at) > coalesce(b.queued_at, '-infinity') then 'daily'
      end
      when 'weekly' then case
        -- The chosen day is today, or one on which nothing was queued.
        when mod(extract(isodow from due.today)::integer - coalesce(s.weekday, 1) + 7, 7) < coalesce(due.today - b.last_on, 1)
          then case when p.number > 0 or h.organisation_id is not null or a.person_id is not null then 'weekly' end
        when p.has_urgent_news then 'urgent'
      end
    end as kind
  from people p
  join due on due.organisation_id = p.organisation_id
  left join before b on b.organisation_id = p.organisation_id
  left join held h on h.organisation_id = p.organisation_id
  left join partners a on a.organisation_id = p.organisation_id and a.person_id = p.person_id
  left join certvakt.digest_settings s on s.person_id = p.person_id
),
settings as (
  insert into certvakt.digest_settings (person_id)
  select distinct person_id from kinds where kind is not null
  on conflict do nothing
),
recorded as (
  insert into certvakt.digests (organisation_id, person_id, kind, on_date)
  select k.organisation_id, k.person_id, k.kind, k.today from kinds k
  -- The content of a waiting digest is read when it is sent, so it holds the news too.
  where k.kind is not null and not exists (
    select from certvakt.mail_queue l
    where l.person_id = k.person_id and l.organisation_id = k.organisation_id and l.kind = 'digest' and l.mail_due_at is not null
      and l.requested_at > now() - l.valid_for)
  on conflict do nothing
  returning id, organisation_id, person_id
)
insert into certvakt.mail_queue (id, kind, person_id, contact_point_id, valid_for, organisation_id)
select r.id, 'digest', r.person_id, k.contact_point_id, interval '6 days', r.organisation_id
from recorded r join kinds k on k.organisation_id = r.organisation_id and k.person_id = r.person_id
