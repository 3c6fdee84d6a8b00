select name as "name!",
  (select reltuples::bigint from pg_class where oid = name::regclass and reltuples >= 0) as rows,
  pg_total_relation_size(name::regclass) as "bytes!",
  case name
    when 'public.cert_notification_log' then
      (select count(*) from public.cert_notification_log where sent_at > now() - interval '30 days')
    when 'certvakt.runs' then
      (select count(*) from certvakt.runs where finished_at > now() - interval '30 days')
    when 'certvakt.imports' then
      (select count(*) from certvakt.imports where finished_at > now() - interval '30 days')
    when 'certvakt.access_events' then
      (select count(*) from certvakt.access_events where at > now() - interval '30 days')
  end as grown
from unnest(array[
  'public.peer_mentor_certifications', 'public.cert_notification_log', 'certvakt.certification_changes',
  'certvakt.deliveries', 'certvakt.delivery_attempts', 'certvakt.runs', 'certvakt.imports', 'certvakt.access_events'
]) as name
