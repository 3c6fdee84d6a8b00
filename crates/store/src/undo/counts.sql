select
  (select count(*) from undo_added a where not a.is_noticed and not a.is_changed) as deleted,
  (select count(distinct j.certification_id) from certvakt.import_changes j where j.import_id = $1
     and j.before ?| array['chapter_id', 'issued_at', 'expires_at', 'status', 'suspended_until']) as reverted,
  (select count(distinct j.person_id) from certvakt.import_changes j where j.import_id = $1
     and j.before ?| array['name', 'language', 'email', 'phone', 'push_token']) as people
