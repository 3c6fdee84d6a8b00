-- Names in letters of ASCII, for looking somebody up by a part of one, with an index that finds it.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Where hosted platforms have their extensions. An extension that is there already stays where it is.
create schema if not exists extensions;
create extension if not exists pg_trgm with schema extensions;

-- Not strict, though null is folded to null: PostgreSQL writes no CASE of a strict function into the statement, and to
-- call it for each row takes longer than the rest.
create or replace function certvakt.folded(name text) returns text
language sql immutable parallel safe
return case
  when octet_length(name) = length(name) then lower(name collate "C")
  else translate(
    lower(replace(replace(replace(replace(replace(replace(replace(name,
      'Æ', 'ae'), 'æ', 'ae'), 'Œ', 'oe'), 'œ', 'oe'), 'ß', 'ss'), 'Þ', 'th'), 'þ', 'th') collate "C"),
    'ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝàáâãäåçèéêëìíîïðñòóôõöøùúûüýÿĀāĂăĄąĆćĈĉĊċČčĎďĐđĒēĔĕĖėĘęĚěĜĝĞ' ||
    'ğĠġĢģĤĥĨĩĪīĬĭĮįİĴĵĶķĹĺĻļĽľŁłŃńŅņŇňŊŋŌōŎŏŐőŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŦŧŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽž'
    -- Accents that stand behind their letters are left out.
    || U&'\0300\0301\0302\0303\0304\0306\0307\0308\030A\030B\030C\0323\0327\0328',
    'aaaaaaceeeeiiiidnoooooouuuuyaaaaaaceeeeiiiidnoooooouuuuyyaaaaaaccccccccddddeeeeeeeeeeggg' ||
    'ggggghhiiiiiiiiijjkkllllllllnnnnnnnnoooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzz')
end;
comment on function certvakt.folded is
  'A name in small letters of ASCII, for looking it up: å is found as a, ø as o, æ as ae; letters of other scripts stay.';

-- Writing a name computes its folded column with the rights of the writing role.
grant execute on function certvakt.folded(text) to certvakt_registrar, certvakt_worker, certvakt_definer;

-- squawk-ignore adding-field-with-default
alter table certvakt.people add column name_folded text generated always as (certvakt.folded(name)) stored;
comment on column certvakt.people.name_folded is 'The name, as it is looked for.';
grant select (locale, name_folded) on certvakt.people to certvakt_definer;
do $$
begin
  execute (
    select format('create index people_name_folded on certvakt.people using gin (name_folded %I.gin_trgm_ops)', n.nspname)
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm');
end
$$;
