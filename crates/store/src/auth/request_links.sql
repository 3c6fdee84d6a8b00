-- $1 distinct mail addresses   $2 for each, the page to show after the sign-in   $3 and the hash of the browser's secret
insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for, return_to, browser_hash)
select 'link', p.person_id, p.contact_point_id, interval '15 minutes', asked.return_to, asked.browser_hash
from unnest($1::text[], $2::text[], $3::bytea[]) as asked (address, return_to, browser_hash)
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
