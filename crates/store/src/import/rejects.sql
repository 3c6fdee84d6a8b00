-- A page of the rejected rows, the repeated ones and the values that were left out, in the order of the file, after line $1
-- and column $2.
select r.line, x.reject_column, x.reject_reason, r.external_id, x.is_row_imported, x.reject_code
from import_rows r
cross join lateral (values
  (r.reject_column, r.reject_reason, false, r.reject_code),
  ('external_id', 'given twice: line ' || r.duplicate_of || ' counts; take one of them out', false, null),
  ('email', r.email_reason, true, null), ('phone', r.phone_reason, true, null),
  ('language', r.locale_reason, true, null), ('push_token', r.push_token_reason, true, null)
) x (reject_column, reject_reason, is_row_imported, reject_code)
where x.reject_reason is not null
  and not (x.is_row_imported and (r.reject_reason is not null or r.duplicate_of is not null))
  and (r.line, x.reject_column) > ($1, $2)
order by r.line, x.reject_column limit $3
