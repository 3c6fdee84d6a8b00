-- The certifications that the import of organisation $1 in transaction $2 added, and whether they differ since in their date
-- or in whether they are suspended, and whether their mentors have had notices.
create temporary table undo_added on commit drop as
select c.id, c.peer_mentor_id, c.external_id,
  exists (select from public.cert_notification_log l where l.certification_id = c.id) as is_noticed,
  c.expires_at is distinct from k.expires_after or coalesce(since.first = since.last, false) as is_changed
from certvakt.certification_changes k
join public.peer_mentor_certifications c on c.organisation_id = k.organisation_id and c.id = k.certification_id
-- If the first of these changes and the last one are opposite, the certification is as it was.
cross join lateral (
  select (array_agg(later.kind order by later.id))[1] as first, (array_agg(later.kind order by later.id desc))[1] as last
  from certvakt.certification_changes later
  where later.organisation_id = $1 and later.certification_id = c.id and later.changed_in <> $2::xid8
    and later.kind in ('suspended', 'reinstated')
) since
where k.organisation_id = $1 and k.changed_in = $2::xid8 and k.kind = 'recorded'
