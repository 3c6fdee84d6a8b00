-- Who may change settings, types and chapters. Another file sets `world` and `chapters`, and runs this on an app's own hierarchy.
begin;
select plan(12);
\if :{?world}
\else
  \set world fixtures/world.psql
  \set chapters administrator
\endif
\ir :world
\ir fixtures/certified.psql
\ir fixtures/become.psql

create function pg_temp.may(who text, change text) returns boolean language plpgsql as $$
declare
  changed integer;
begin
  perform pg_temp.become(who);
  set local role authenticated;
  begin
    execute change;
    get diagnostics changed = row_count;
  exception when insufficient_privilege then
    changed := 0;
  end;
  reset role;
  return changed > 0;
end
$$;
create function pg_temp.all_who_may(change text) returns text language sql as $$
  select string_agg(l.kind, ' ' order by l.kind) from pg_temp.login l where pg_temp.may(l.kind, change)
$$;

select is(pg_temp.all_who_may($$update certvakt.organisations set deliver_from = '08:00' where slug = 'a'$$),
  'administrator', 'administrators change the settings of their organisation');
select is(pg_temp.all_who_may($$update certvakt.certification_types set name = 'Other', validity_months = 12, lead_times = '{30}'
  where organisation_id = '00000000-0000-4000-8000-0000000000a0'$$),
  'administrator', 'administrators change their types');
select is(pg_temp.all_who_may($$insert into certvakt.certification_types (organisation_id, code, name)
  values ('00000000-0000-4000-8000-0000000000a0', 'new', 'New')$$), 'administrator', 'administrators add types');
select is(pg_temp.all_who_may($$insert into certvakt.chapters (organisation_id, slug, name)
  values ('00000000-0000-4000-8000-0000000000a0', 'new', 'New')$$), nullif(:'chapters', ''), 'administrators add chapters');
select is(pg_temp.all_who_may($$update certvakt.chapters set name = 'Renamed' where slug = 'own'$$),
  nullif(:'chapters', ''), 'administrators rename chapters');
select is(pg_temp.all_who_may($$update certvakt.organisations set deliver_from = '08:00' where slug = 'b'$$), null,
  'nobody changes the settings of another organisation');
insert into certvakt.notice_texts (organisation_id, days_before, locale, body) values
  ('00000000-0000-4000-8000-0000000000a0', 7, 'nb', 'A'), ('00000000-0000-4000-8000-0000000000b0', 7, 'nb', 'B');
select is(pg_temp.all_who_may($$select from certvakt.notice_texts where body = 'A'$$), 'administrator',
  'administrators read the texts of their organisation');
select is(pg_temp.all_who_may($$update certvakt.notice_texts set body = 'Other'
  where organisation_id = '00000000-0000-4000-8000-0000000000a0'$$), 'administrator', 'administrators change them');
select is(pg_temp.all_who_may($$insert into certvakt.notice_texts (organisation_id, days_before, locale, body)
  values ('00000000-0000-4000-8000-0000000000a0', -1, 'en', 'New')$$), 'administrator', 'administrators add them');
select is(pg_temp.all_who_may($$delete from certvakt.notice_texts where organisation_id = '00000000-0000-4000-8000-0000000000a0'$$),
  'administrator', 'administrators remove them');
select is(concat(
  pg_temp.all_who_may($$select from certvakt.notice_texts where body = 'B'$$),
  pg_temp.all_who_may($$update certvakt.notice_texts set body = 'Other' where body = 'B'$$),
  pg_temp.all_who_may($$delete from certvakt.notice_texts where organisation_id = '00000000-0000-4000-8000-0000000000b0'$$),
  pg_temp.all_who_may($$insert into certvakt.notice_texts (organisation_id, days_before, locale, body)
    values ('00000000-0000-4000-8000-0000000000b0', -1, 'en', 'New')$$)), '', 'nobody reaches those of another organisation');
select is(pg_temp.all_who_may($$select from certvakt.letter_to('00000000-0000-4000-8000-0000000200a2', null)$$),
  'administrator coordinator', 'those who manage the chapter write letters to a mentor');
select * from finish();
rollback;
