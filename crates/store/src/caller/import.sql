-- The import $1, if the caller may see it.
select i.id, i.organisation_id,
  jsonb_strip_nulls(jsonb_build_object('added', i.added, 'updated', i.updated, 'unchanged', i.unchanged, 'renewed', i.renewed,
    'corrected', i.corrected, 'duplicate', i.duplicate, 'rejected', i.rejected, 'undo', i.undo)) as "result!",
  i.finished_at, i.operator, coalesce(
    (select n.name from certvakt.person_names n where n.person_id = i.person_id and n.organisation_id = i.organisation_id),
    (select p.name from certvakt.people p where p.id = i.person_id)) as sender,
  i.undone_at is not null as "is_undone!", i.undo_requested_at is not null as "is_waiting!",
  i.undone_at is null and i.finished_at > now() - interval '30 days' as "is_undoable!"
from certvakt.imports i where i.id = $1
