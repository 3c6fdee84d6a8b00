select s.organisation_id as "organisation_id!", s.partner as "partner!", t.mentors as "mentors!", t.listed as "listed!",
  s.to_list as "to_list!", s.to_delist as "to_delist!", s.not_approved as "not_approved!",
  s.oldest_removal_seconds as "oldest_removal_seconds!", s.with_errors as "with_errors!", s.in_doubt as "in_doubt!",
  s.still_shown as "still_shown!", s.not_shown as "not_shown!", s.removed_by_hand as "removed_by_hand!", t.excluded as "excluded!",
  s.reports_waiting as "reports_waiting!",
  coalesce((select jsonb_agg(x) from certvakt.partner_problems(p, s) x), '[]') as "problems!: Problems"
from certvakt.partner_states s
join certvakt.partners p on p.organisation_id = s.organisation_id and p.code = s.partner
join certvakt.partner_totals t on t.organisation_id = s.organisation_id and t.partner = s.partner
order by s.organisation_id, s.partner
