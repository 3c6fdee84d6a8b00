-- What stays as it is, because it was changed since.
select c.external_id, array_agg(distinct k.field order by k.field) as fields
from (
  select k.person_id, k.certification_id, k.field from undo_kept k
  union all
  select a.peer_mentor_id, a.id, 'certification' from undo_added a where a.is_changed
) k
left join public.peer_mentor_certifications c on c.id = k.certification_id
group by k.person_id, c.external_id
order by 1
