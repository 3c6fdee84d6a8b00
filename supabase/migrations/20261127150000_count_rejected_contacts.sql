-- A wrong contact costs the contact, not its row.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table certvakt.imports
  add column contacts_rejected bigint not null default 0 check (contacts_rejected >= 0);
