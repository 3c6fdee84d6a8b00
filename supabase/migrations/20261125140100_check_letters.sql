-- What was there when the checks came keeps them too.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table certvakt.letters validate constraint letters_kind_known, validate constraint letters_alert_whole;
alter table certvakt.people validate constraint people_erased_whole;
