-- A page of the rejected rows, the repeated ones and the values that were left out, in the order of the file, after line $1
-- and column $2.
select r.line, x.reject_column, x.reject_reason, r.external_id, x.is_row_imported
from import_rows r
cross join lateral (values
  (r.reject_column, r.reject_reason, false),
  ('external_id', 'given twice: line ' || r.duplicate_of || ' counts; take one of them out', false),
  ('email', r.email_reason, true), ('phone', r.phone_reason, true), ('language', r.locale_reason, true),
  ('push_token', r.push_token_reason, true)
) x (reject_column, reject_reason, is_row_imported)
where x.reject_reason is not null
  and not (x.is_row_imported and (r.reject_reason is not null or r.duplicate_of is not null))
  and (r.line, x.reject_column) > ($1, $2)
order by r.line, x.reject_column limit $3
