-- Finds older certifications of the same person and type as one in the register: the one that expires last counts.
insert into import_replacements (certification_id, successor_id, status, suspended_until)
select c.id, c.latest, c.status, c.suspended_until
from (
  select c.id, c.status, c.suspended_until, first_value(c.id) over (
    partition by c.peer_mentor_id, c.certification_type
    order by c.expires_at desc nulls first, c.issued_at desc nulls last, c.created_at desc, c.id desc) as latest
  from public.peer_mentor_certifications c
  where c.organisation_id = $1
    and (c.peer_mentor_id, c.certification_type) in (select m.person_id, m.certification_type from import_matches m)
    and case when c.status = 'suspended' then not certvakt.is_withdrawn(c.status, c.renewal_history) else true end
) c
where c.id <> c.latest
on conflict do nothing
