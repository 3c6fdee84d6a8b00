-- Records that the import $1 was undone, and deletes what only the undo needed. The replacements that it recorded have ended.
with gone as (
  delete from certvakt.replacements r
  using certvakt.import_changes j
  where j.import_id = $1 and j.is_suspension and r.certification_id = j.certification_id
    and not exists (select from undo_kept k where k.certification_id = j.certification_id and k.field = 'status')
),
journal as (
  delete from certvakt.import_changes where import_id = $1
)
update certvakt.imports set undone_at = now(), undone_by = certvakt.operator() where id = $1
