insert into certvakt.access_events
  (number, at, person_id, method, resource, resource_id, status, rows_read, addresses_read, organisations_of_person,
   organisations_of_rows)
select number, at, person_id, method, resource, resource_id, status, rows_read, addresses_read, organisations_of_person,
  organisations_of_rows
from jsonb_to_recordset($1) as event (
  number bigint, at timestamptz, person_id uuid, method text, resource text, resource_id uuid, status smallint,
  rows_read bigint, addresses_read bigint, organisations_of_person uuid[], organisations_of_rows uuid[])
-- A repetition after a missing response is ignored.
on conflict (number) do nothing
