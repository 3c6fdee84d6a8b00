select organisation_id as "organisation_id!", partner as "partner!", mentors as "mentors!", listed as "listed!",
  to_list as "to_list!", to_delist as "to_delist!", not_approved as "not_approved!",
  oldest_removal_seconds as "oldest_removal_seconds!", in_trouble as "in_trouble!", unsure as "unsure!",
  still_shown as "still_shown!", not_shown as "not_shown!", away as "away!", kept_off as "kept_off!",
  reports_waiting as "reports_waiting!"
from certvakt.partner_standings
order by organisation_id, partner
