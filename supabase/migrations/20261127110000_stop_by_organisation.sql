-- A stop of a channel can concern one organisation.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- The table has no more rows than channels, so nothing waits for what is checked and built here.
alter table certvakt.channel_stops
  -- squawk-ignore adding-foreign-key-constraint
  add column organisation_id uuid references certvakt.organisations (id) on delete cascade,
  -- squawk-ignore ban-drop-constraint
  drop constraint channel_stops_pkey,
  -- squawk-ignore adding-field-with-default
  add column id bigint generated always as identity,
  -- squawk-ignore adding-serial-primary-key-field, constraint-missing-not-valid
  add primary key (id);
-- squawk-ignore require-concurrent-index-creation
create unique index channel_stops_once on certvakt.channel_stops (channel, organisation_id) nulls not distinct;
-- squawk-ignore require-concurrent-index-creation
create index channel_stops_organisation on certvakt.channel_stops (organisation_id);

comment on table certvakt.channel_stops is
  'Channels whose provider refuses us; their queue is kept until a delivery through them succeeds.';
comment on column certvakt.channel_stops.organisation_id is
  'Whose messages are refused; null: those of all, because the provider refuses the sender.';
