select p.organisation_id, o.slug as organisation, o.time_zone as "zone: Zone", p.code as partner,
  p.environment as "environment: Environment", p.contract,
  array(
    select t.certification_type from certvakt.partner_types t
    where t.organisation_id = p.organisation_id and t.partner = p.code order by 1) as "requires!",
  p.removal_limit, p.stopped_at, p.stopped_by as "stopped_by: StopReason", p.stopped_reason, p.retry_at, p.failures,
  p.held_at, p.reconciled_at, case when p.environment is not null then p.unread_since end as unread_since,
  case when p.environment is not null then p.unread_reason end as unread_reason, p.unknown_shown, p.evaluated_on,
  case when p.environment is not null then p.reports_unread_since end as reports_unread_since,
  case when p.environment is not null then p.reports_unread_reason end as reports_unread_reason,
  coalesce(p.retry_at > now(), false) as "rests!",
  coalesce(p.read_tried_at < now() - case when p.unread_since is null then interval '1 hour' else interval '5 minutes' end, true)
    as "is_to_be_reconciled!",
  coalesce(p.reports_tried_at < now()
      - case when p.reports_unread_since is null then interval '1 hour' else interval '5 minutes' end, true) as "is_to_be_heard!",
  p.reports_delta,
  p.secret_ends_on, now() as "at!"
from certvakt.partners p join certvakt.organisations o on o.id = p.organisation_id
order by o.slug, p.code
