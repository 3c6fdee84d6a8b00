create temporary table import_rows (
  line bigint not null,
  external_id text,
  name text,
  family_name text,
  emails text,
  push_token text,
  issued_at timestamptz,
  expires_at timestamptz,
  -- active, suspended, or over: suspended, with a last day that has passed.
  status text,
  email_reason text,
  push_token_reason text,
  reject_column text,
  reject_reason text,
  -- Set if the row could be read, but the person who sent it may not change its certification.
  reject_code text,
  -- Columns that most registers do not have.
  person_id text,
  replaces text,
  chapter_id uuid,
  certification_type text,
  phones text,
  locale text,
  suspended_until date,
  phone_reason text,
  locale_reason text,
  -- The line of the row that counts, if several are about the same certification.
  duplicate_of bigint
) on commit drop;
-- The people of the rows, if they have another key than the id of one certification.
create temporary table import_people (
  key text primary key,
  person_id uuid not null,
  is_new boolean not null
) on commit drop;
-- The people all of whose chapters are within the limits of the import, if it has any.
create temporary table import_manageable (
  person_id uuid primary key
) on commit drop;
-- The certifications that are replaced by another one.
create temporary table import_replacements (
  certification_id uuid primary key,
  successor_id uuid not null,
  status text not null,
  suspended_until date
) on commit drop;
