select o.slug as organisation, d.last_on as "last_on?", count(g.id) filter (where g.mailed_at is not null) as "mailed!",
  count(g.id) filter (where g.mailed_at is null and l.is_waiting) as "waiting!",
  count(g.id) filter (where g.mailed_at is null and l.is_waiting is not true) as "not_sent!"
from certvakt.organisations o
left join certvakt.digest_days d on d.organisation_id = o.id
left join certvakt.digests g on g.organisation_id = o.id and g.on_date > d.last_on - 7
left join lateral (
  select x.mail_due_at is not null and x.requested_at > now() - x.valid_for as is_waiting from certvakt.mail_queue x where x.id = g.id
) l on true
group by o.id, d.last_on
order by o.slug
