select
  (select count(*)
   from unnest($2::timestamptz[], $3::timestamptz[]) as s(current_from, current_before)
   join public.peer_mentor_certifications c
     on c.organisation_id = $1 and c.status <> 'suspended'
     and c.expires_at >= s.current_from and c.expires_at < s.current_before) as "in_stage!",
  (select count(*)
   from public.cert_notification_log l
   join public.peer_mentor_certifications c on c.id = l.certification_id
   where c.organisation_id = $1) as "notices!"
