create temporary table import_rows (
  line bigint not null,
  external_id text,
  name text,
  email text,
  push_token text,
  issued_at timestamptz,
  expires_at timestamptz,
  status text,
  email_reason text,
  push_token_reason text,
  reject_column text,
  reject_reason text
) on commit drop;
