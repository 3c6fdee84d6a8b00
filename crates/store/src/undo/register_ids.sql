-- Deletes the people's ids that the import recorded ($1: its organisation, $2: its time).
delete from certvakt.register_ids where organisation_id = $1 and created_at = $2
