-- Cancels unreachable deliveries whose stage has passed or is not selected any more.
--
-- $1 organisation   $2 names of the stages   $3..$4 per stage, from and before: the expiries in the stage
-- $5..$6 per stage, the types that have it (certvakt.run_input)
update certvakt.deliveries d
set state = 'cancelled', finished_at = now(), reason = 'nobody was reached before the stage passed'
where d.finished_at is null and d.available_at is null and d.organisation_id = $1
  and not exists (
    select from unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::int[])
      as s(stage, current_from, current_before, types, selection)
    where d.stage = s.stage and d.expires_at >= s.current_from and d.expires_at < s.current_before
      and (0 = all ($6::int[]) or (s.selection > 0) = (
        select c.certification_type = any (string_to_array(s.types, ','))
        from public.cert_notification_log l join public.peer_mentor_certifications c on c.id = l.certification_id
        where l.id = d.id)))
