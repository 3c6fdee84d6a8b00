-- Finds older certifications of the same person and type as one in the register. A valid one precedes one that is suspended
-- or has lapsed, one in the register precedes the others, and the one that expires last counts. A suspended one replaces no
-- other. A rejected row shows nothing about its certification, so that one stays.
insert into import_replacements (certification_id, successor_id, status, suspended_until)
select c.id, c.latest, c.status, c.suspended_until
from (
  select c.id, c.status, c.suspended_until, first_value(c.id) over ranking as latest,
    first_value(c.status) over ranking as latest_status
  from public.peer_mentor_certifications c
  left join import_matches m on m.external_id = c.external_id and m.certification_type = c.certification_type
  where c.organisation_id = $1
    and (c.peer_mentor_id, c.certification_type) in (select p.person_id, p.certification_type from import_matches p)
    and case when c.status = 'suspended' then not certvakt.is_withdrawn(c.status, c.renewal_history) else true end
    and not exists (select from import_rows r where r.reject_reason is not null and r.external_id = c.external_id)
    and not exists (select from import_replacements i where i.certification_id = c.id)
  window ranking as (
    partition by c.peer_mentor_id, c.certification_type
    order by c.status = 'suspended' or coalesce(c.expires_at < now(), false), m.line is null,
      c.expires_at desc nulls first, c.issued_at desc nulls last, c.created_at desc, c.id desc)
) c
where c.id <> c.latest and (c.latest_status <> 'suspended' or c.status = 'suspended')
on conflict do nothing
