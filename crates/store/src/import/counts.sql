with matched as (
  select certification_id is null as is_added,
    certification_id is not null and expires_before is distinct from expires_at as date_differs,
    coalesce($1, case when expires_at is null or expires_at > expires_before then 'renewed' else 'corrected' end) as kind,
    certification_id is not null and (
      expires_before is distinct from expires_at or issued_before is distinct from issued_at
      or status_before is distinct from status or suspended_until_before is distinct from suspended_until
      or name_differs or email_differs or phone_differs or locale_differs or push_token_differs or moved) as is_updated
  from import_matches
)
select
  (select count(*) from import_rows) as read,
  count(*) filter (where is_added) as added,
  count(*) filter (where is_updated) as updated,
  count(*) filter (where not is_added and not is_updated) as unchanged,
  (select count(duplicate_of) from import_rows) as duplicate,
  (select count(reject_reason) from import_rows) as rejected,
  (select count(*) from import_rows where reject_reason is not null and reject_code is null) as unread,
  count(*) filter (where date_differs and kind = 'renewed') as renewed,
  count(*) filter (where date_differs and kind = 'corrected') as corrected,
  (select count(*) from import_replacements) as replaced,
  (select count(email_reason) + count(phone_reason) + count(locale_reason) + count(push_token_reason)
   from import_rows where reject_reason is null and duplicate_of is null) as contacts_rejected,
  now() as started_at
from matched
