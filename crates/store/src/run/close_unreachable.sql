-- Cancels unreachable deliveries whose stage has passed or is not selected any more.
--
-- $1 organisation   $2 names of the stages   $3..$4 per stage, from and before: the expiries in the stage
update certvakt.deliveries d
set state = 'cancelled', finished_at = now(), reason = 'nobody was reached before the stage passed'
where d.finished_at is null and d.available_at is null and d.organisation_id = $1
  and not exists (
    select from unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) as s(stage, current_from, current_before)
    where d.stage = s.stage and d.expires_at >= s.current_from and d.expires_at < s.current_before)
