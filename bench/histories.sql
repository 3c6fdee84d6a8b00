-- Gives saved certifications histories by the product's own rules. All but the last entry are the same for all,
-- and the last for all of one date: each history holds together and ends with its certification's date, and no
-- chain of hashes has to be computed for each.
--
-- :entries how many each   :which of the certifications, c

create or replace function pg_temp.renewed(history jsonb, until timestamptz) returns jsonb language sql as $$
  select history || certvakt.new_entry(
    '{"actor": "01936a2e-7d1c-7c4e-9f0a-5a2f6a7f3b10", "source": "api", "completed_on": "2026-11-20"}', 'renewed',
    coalesce((history -> -1 ->> 'expires_after')::timestamptz, '1999-12-31 22:59:59Z'), until,
    '["expiry_warning_90d", "expiry_warning_30d"]', null, certvakt.entry_hash(history -> -1))
$$;
create or replace function pg_temp.renewed_often(often integer) returns jsonb language plpgsql as $$
declare
  history jsonb := '[]';
begin
  for i in 1 .. often loop
    history := pg_temp.renewed(history, timestamptz '1999-12-31 22:59:59Z' + i * interval '1 day');
  end loop;
  return history;
end
$$;

-- In a table of its own, compressed once for each date and not for each certification.
create temporary table made as
with before as materialized (
  select pg_temp.renewed_often(:entries - 1) as history
)
select d.expires_at, pg_temp.renewed(before.history, d.expires_at) as history
from before, (select distinct c.expires_at from saved.peer_mentor_certifications c where :which) d;
update saved.peer_mentor_certifications c set renewal_history = made.history
from made where made.expires_at = c.expires_at and :which;
drop table made;
