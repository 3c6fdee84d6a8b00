-- Finds older certifications of the same person and type as one in the register. Of those in the register, a valid one
-- precedes a suspended one, and the one that expires last counts. A suspended one replaces no valid one.
insert into import_replacements (certification_id, successor_id, status, suspended_until)
select c.id, c.latest, c.status, c.suspended_until
from (
  select c.id, c.status, c.suspended_until, first_value(c.id) over ranking as latest,
    first_value(c.status) over ranking as latest_status
  from public.peer_mentor_certifications c
  where c.organisation_id = $1
    and (c.peer_mentor_id, c.certification_type) in (select m.person_id, m.certification_type from import_matches m)
    and case when c.status = 'suspended' then not certvakt.is_withdrawn(c.status, c.renewal_history) else true end
  window ranking as (
    partition by c.peer_mentor_id, c.certification_type
    order by not exists (
        select from import_matches m
        where m.external_id = c.external_id and m.certification_type = c.certification_type),
      c.status = 'suspended', c.expires_at desc nulls first, c.issued_at desc nulls last, c.created_at desc, c.id desc)
) c
where c.id <> c.latest and (c.latest_status <> 'suspended' or c.status = 'suspended')
on conflict do nothing
