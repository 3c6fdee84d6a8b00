-- Finds or chooses the person of each key: the person's id in the register if it has one ($2), otherwise the id that the
-- certifications of a person share. A known certification, and a replaced one, keep their person. $3 is the type of rows
-- that name none.
insert into import_people (key, person_id, is_new)
select k.key, coalesce(i.person_id, k.certified, certvakt.uuid_v7()), coalesce(i.person_id, k.certified) is null
from (
  select coalesce(r.person_id, r.external_id) as key,
    (array_agg(coalesce(c.peer_mentor_id, o.peer_mentor_id) order by c.id is null, r.line)
      filter (where coalesce(c.id, o.id) is not null))[1] as certified
  from import_rows r
  left join public.peer_mentor_certifications c on c.organisation_id = $1 and c.external_id = r.external_id
    and (not $2 or c.certification_type = coalesce(r.certification_type, $3))
  left join public.peer_mentor_certifications o on o.organisation_id = $1 and o.external_id = r.replaces
    and o.certification_type = coalesce(r.certification_type, $3)
  where r.reject_reason is null and r.duplicate_of is null
  group by 1
) k
left join certvakt.register_ids i on $2 and i.organisation_id = $1 and i.external_id = k.key
