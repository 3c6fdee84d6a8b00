-- The service reads which migrations were applied, to refuse a schema that it does not know.
-- Whichever tool applies the migrations, the ledger is here: in the form that sqlx keeps.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table if not exists certvakt.schema_migrations (
  version bigint primary key,
  description text not null,
  installed_on timestamptz not null default now(),
  success boolean not null,
  checksum bytea not null,
  execution_time bigint not null
);
revoke all on certvakt.schema_migrations from public, anon, authenticated, service_role;
grant select on certvakt.schema_migrations to certvakt_worker, certvakt_registrar;
