-- Resolves event $3, which waits: it is accepted as a renewal of certification $4, or dismissed. Deletes the key if the
-- mentor is unknown.
update certvakt.partner_reports r
set outcome = case when $4::uuid is null then 'dismissed' else 'accepted' end, resolved_at = now(), resolved_by = certvakt.operator(),
  certification_id = coalesce($4, r.certification_id),
  partner_key = case when exists (
    select from certvakt.listings l
    where l.organisation_id = r.organisation_id and l.partner = r.partner and l.partner_key = r.partner_key
      and l.person_id is not null) then r.partner_key end
where r.organisation_id = $1 and r.partner = $2 and r.environment = 'live' and r.event_id = $3 and r.outcome = 'waiting'
