-- $1 organisation   $2..$3 per stage, from and before: the expiries in the stage
-- $4..$5 per stage, the types that have it (certvakt.run_input)
select
  (select count(*)
   from unnest($2::timestamptz[], $3::timestamptz[], $4::text[], $5::int[])
     as s(current_from, current_before, types, selection)
   join public.peer_mentor_certifications c
     on c.organisation_id = $1 and c.status <> 'suspended'
     and c.expires_at >= s.current_from and c.expires_at < s.current_before
     and (c.certification_type = any (string_to_array(s.types, ','))) = (s.selection > 0)) as "in_stage!",
  (select count(*)
   from public.cert_notification_log l
   join public.peer_mentor_certifications c on c.id = l.certification_id
   where c.organisation_id = $1) as "notices!"
