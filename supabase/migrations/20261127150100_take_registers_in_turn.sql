-- Registers are taken in by turns of their organisations, so that none waits for all of another.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table certvakt.uploads add column taken_up_at timestamptz;
comment on column certvakt.uploads.taken_up_at is 'When it was last tried.';
grant update (taken_up_at) on certvakt.uploads to certvakt_registrar;
