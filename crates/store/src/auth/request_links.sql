-- $1 distinct mail addresses   $2 for each, the page to show after the sign-in   $3 and the hash of the browser's secret
-- Only the codes of a browser's last request are valid, so that one guess is not compared with those of many people.
with asked as (
  select address, return_to,
    case when number = max(number) over (partition by browser_hash) then browser_hash end as browser_hash
  from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as asked (address, return_to, browser_hash, number)
),
former as (
  update certvakt.mail_queue l set wrong_codes = 5 where l.kind = 'link' and l.browser_hash = any ($3)
)
insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for, return_to, browser_hash)
select 'link', p.person_id, p.contact_point_id, interval '15 minutes', asked.return_to, asked.browser_hash
from asked
cross join lateral (
  select found.person_id, found.contact_point_id
  from certvakt.people_of_address(asked.address) found
  where 3 > (
    select count(*) from certvakt.mail_queue l
    where l.person_id = found.person_id and l.kind = 'link' and l.used_at is null
      and l.requested_at > now() - interval '15 minutes')
  order by found.person_id
  limit 10
) p
