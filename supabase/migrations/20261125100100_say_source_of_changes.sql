-- Entries of version 2 say which way a change came in. Entries of version 1 stay as they were written; whoever
-- reads them knows that they do not say.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create or replace function certvakt.entry_fields()
returns table (schema_version integer, field text, json_type text, may_be_null boolean, form text)
language sql immutable parallel safe set search_path = ''
begin atomic
  with first (field, json_type, may_be_null, form) as (
    values
      ('id', 'string', false, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
      ('kind', 'string', false, '^(renewed|corrected|suspended|reinstated|withdrawn)$'),
      ('at', 'string', false, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$'),
      ('actor', 'string', true, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
      ('completed_on', 'string', true, '^\d{4}-\d\d-\d\d$'),
      ('expires_before', 'string', true, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$'),
      ('expires_after', 'string', true, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$'),
      ('told', 'array', true, '^\[("(expiry_warning_(90|30|7)d|expired)"(, )?)*\]$'),
      ('words', 'string', true, '^[0-9a-f]{64}$'),
      ('previous', 'string', true, '^[0-9a-f]{64}$')
  )
  select v.version, first.* from (values (1), (2)) v (version) cross join first
  union all
  values (2, 'source', 'string', false, '^(api|command|register|portal|database)$');
end;

create or replace function certvakt.new_entry(
  said jsonb, kind text, expires_before timestamptz, expires_after timestamptz, told jsonb, words text, previous text)
returns jsonb
language sql volatile set search_path = ''
begin atomic
  select jsonb_build_object(
    'schema_version', 2,
    'id', coalesce(said ->> 'id', certvakt.uuid_v7()::text),
    'kind', kind,
    -- Asked while the row is locked, so the entries of a history follow each other in time.
    'at', certvakt.utc_text(clock_timestamp()),
    'actor', coalesce(certvakt.current_person()::text, said ->> 'actor'),
    'source', coalesce(said ->> 'source', 'database'),
    'completed_on', said ->> 'completed_on',
    'expires_before', certvakt.utc_text(expires_before),
    'expires_after', certvakt.utc_text(expires_after),
    'told', told,
    'words', words,
    'previous', previous);
end;
