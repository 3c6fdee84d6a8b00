-- $1 maximum number   $2 whether to include e-mails with links
-- The person's name and language are those of the alert's organisation, or of the organisation whose register contains
-- the address. An e-mail to a former address may reach somebody else, so it does not contain the name. Links come first.
select l.id, l.kind, l.alert, l.number, l.person_id, l.organisation_id, l.browser_hash,
  case when c.id is not null then coalesce(
    (select n.name from certvakt.person_names n
     where n.person_id = p.id and n.organisation_id = coalesce(l.organisation_id, c.organisation_id)),
    p.name,
    (select n.name from certvakt.person_names n
     where n.person_id = p.id and l.organisation_id is null and c.organisation_id is null
     order by n.organisation_id limit 1)) end as name,
  coalesce(l.address, c.address) as "address!", o.name as "organisation?",
  n.partner as "partner?", n.given_as as "given_as?: GivenAs", n.given_on as "given_on?",
  coalesce(
    (select r.name from certvakt.person_names r where r.person_id = n.actor and r.organisation_id = l.organisation_id),
    (select r.name from certvakt.people r where r.id = n.actor)) as "recorded_by?",
  coalesce(
    p.locale,
    (select n.locale from certvakt.person_names n
     where n.person_id = p.id and n.organisation_id = coalesce(l.organisation_id, c.organisation_id)),
    (select o.locale from certvakt.memberships m join certvakt.organisations o on o.id = m.organisation_id
     where m.person_id = p.id
     order by o.id is distinct from coalesce(l.organisation_id, c.organisation_id), o.id limit 1),
    'nb') as "locale!"
from certvakt.mail_queue l
join certvakt.people p on p.id = l.person_id
left join certvakt.contact_points c on c.id = l.contact_point_id
left join certvakt.organisations o on o.id = l.organisation_id
left join certvakt.listing_consents n on n.id = l.consent_id
where l.mail_due_at <= now() and l.used_at is null and l.requested_at > now() - l.valid_for
  and ($2 or l.kind not in ('link', 'invitation', 'digest'))
order by (l.kind not in ('link', 'invitation')), l.mail_due_at, l.id
limit $1
for update of l skip locked
