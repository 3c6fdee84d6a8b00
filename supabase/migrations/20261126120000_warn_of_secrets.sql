-- What signs us in with a partner ends some day: administrators are told before.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table certvakt.partners
  add column secret_ends_on date,
  add column secret_alerted_for date;
comment on column certvakt.partners.secret_ends_on is
  'The last day on which what signs us in is good, in UTC, as the process that tells the partner knows it; null: it has none, or nobody has said when.';
comment on column certvakt.partners.secret_alerted_for is 'Of which such day administrators were told.';
grant update (secret_ends_on, secret_alerted_for) on certvakt.partners to certvakt_worker;

alter table certvakt.letters
  -- squawk-ignore ban-drop-constraint
  drop constraint letters_alert_known,
  add constraint letters_alert_known
    check (alert in ('long-history', 'partner-stopped', 'removals-held', 'secret-ends')) not valid;
