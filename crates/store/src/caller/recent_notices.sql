select n.id as "id!", n.organisation_id as "organisation_id!", n.chapter_id as "chapter_id!",
  n.certification_id as "certification_id!", n.mentor_id as "mentor_id!",
  coalesce(
    (select p.name from certvakt.person_names p where p.person_id = n.mentor_id and p.organisation_id = n.organisation_id),
    (select p.name from certvakt.people p where p.id = n.mentor_id)) as mentor,
  n.stage as "stage!", n.due_date as "due_date!", n.recorded_at as "recorded_at!", n.state as "state!: DeliveryState", n.reason, n.finished_at
from certvakt.recent_notices($1, $2, $3, $4, $5, $6) n
order by n.id desc
