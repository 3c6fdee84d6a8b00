-- Queues an e-mail to each administrator of an organisation with long histories: one e-mail per history, and at most one
-- in thirty days. If no administrator has an address, the e-mail waits for one.
with told as (
  update certvakt.long_histories l set alerted_at = now()
  from public.peer_mentor_certifications c
  where l.alerted_at is null and c.id = l.certification_id
    and c.organisation_id in (select a.organisation_id from certvakt.administrators a)
    -- A history that grows every day is not reported every day.
    and not exists (
      select from certvakt.long_histories t join public.peer_mentor_certifications o on o.id = t.certification_id
      where o.organisation_id = c.organisation_id and t.alerted_at > now() - interval '30 days')
  returning c.organisation_id
)
insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for, alert, organisation_id, number)
select 'alert', a.person_id, a.contact_point_id, interval '14 days', 'long-history', a.organisation_id, grown.number
from (select t.organisation_id, count(*) as number from told t group by t.organisation_id) grown
join certvakt.administrators a on a.organisation_id = grown.organisation_id
