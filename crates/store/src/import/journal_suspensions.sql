-- Records the certifications that the import $1 suspended or withdrew because they are replaced or missing.
insert into certvakt.import_changes (import_id, person_id, certification_id, before, after, is_suspension)
select $1, c.peer_mentor_id, c.id, jsonb_build_object('status', s.status, 'suspended_until', s.suspended_until),
  jsonb_build_object('status', 'suspended', 'suspended_until', null), true
from (
  select r.certification_id, r.status, r.suspended_until from import_replacements r
  union all
  select m.id, m.status, m.suspended_until from import_missing m where $2
) s
join public.peer_mentor_certifications c on c.id = s.certification_id
