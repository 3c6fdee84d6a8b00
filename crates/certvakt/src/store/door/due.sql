-- $1 how many   $2 whether those that carry a token too
select l.id, l.kind, l.alert, l.number, p.name, c.address, o.name as "organisation?",
  coalesce(
    p.locale,
    (select o.locale from certvakt.memberships m join certvakt.organisations o on o.id = m.organisation_id
     where m.person_id = p.id order by o.id limit 1),
    'nb') as "locale!"
from certvakt.letters l
join certvakt.people p on p.id = l.person_id
join certvakt.contact_points c on c.id = l.contact_point_id
left join certvakt.organisations o on o.id = l.organisation_id
where l.mail_due_at <= now() and l.used_at is null and l.requested_at > now() - l.good_for
  and ($2 or l.kind = 'alert')
order by l.mail_due_at, l.id
limit $1
for update of l skip locked
