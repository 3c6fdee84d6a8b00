-- What was there when another alert was added keeps to the check too.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table certvakt.letters validate constraint letters_alert_known;
