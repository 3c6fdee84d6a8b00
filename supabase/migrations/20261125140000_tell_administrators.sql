-- Mails to the administrators of an organisation about what wants a person, beside those that carry a token.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Letters are few, and live for days: nobody waits for what these read.
alter table certvakt.letters
  add column alert text constraint letters_alert_known check (alert in ('long-history')),
  -- squawk-ignore adding-foreign-key-constraint
  add column organisation_id uuid references certvakt.organisations (id) on delete cascade,
  add column number bigint,
  -- squawk-ignore ban-drop-constraint
  drop constraint letters_kind_known,
  add constraint letters_kind_known check (kind in ('link', 'invitation', 'alert')) not valid,
  add constraint letters_alert_whole check (
    case kind when 'alert' then num_nulls(alert, organisation_id, number) = 0
    else num_nonnulls(alert, organisation_id, number) = 0 end) not valid;
comment on table certvakt.letters is
  'Mails to be sent or sent: links to sign in with and invitations, which carry a token, and alerts, which do not.';
comment on column certvakt.letters.alert is 'What an alert is about.';
comment on column certvakt.letters.organisation_id is 'Whose alert it is.';
comment on column certvakt.letters.number is 'How many of what the alert is about.';
comment on column certvakt.letters.token_hash is
  'SHA-256 of the token in the mail that was sent last. An invitation''s is in invitations as well; an alert''s is good for nothing but to say which sending it was.';
-- squawk-ignore require-concurrent-index-creation
create index letters_organisation on certvakt.letters (organisation_id);

grant insert (kind, person_id, contact_point_id, good_for, alert, organisation_id, number) on certvakt.letters to certvakt_worker;
grant execute on function certvakt.uuid_v7() to certvakt_worker;
create policy worker_alerts on certvakt.letters for insert to certvakt_worker with check (kind = 'alert');
grant select (certification_id), delete on certvakt.long_histories to certvakt_registrar;
create policy registrar_forgets on certvakt.long_histories to certvakt_registrar using (true) with check (false);
-- Only its owner may let somebody have a function.
set local role certvakt_definer;
grant execute on function certvakt.length_of_history(uuid, jsonb) to certvakt_registrar;
reset role;
grant select (alert, organisation_id, number) on certvakt.letters to certvakt_doorkeeper;
grant select (name) on certvakt.organisations to certvakt_doorkeeper;
