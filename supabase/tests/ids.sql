-- Ids that begin with the time.
begin;
select plan(4);

create temporary table made as
select certvakt.uuid_v7() as id from generate_series(1, 1000) n;

select is((select count(distinct id) from made), 1000::bigint, 'no id comes twice');
select is(
  (select count(*) from made where id::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'),
  1000::bigint, 'version 7, variant of RFC 9562');
select is(
  (select count(*) from made
   where ('x0000' || left(replace(id::text, '-', ''), 12))::bit(64)::bigint
     between extract(epoch from now()) * 1000 - 1 and extract(epoch from clock_timestamp()) * 1000 + 1),
  1000::bigint, 'they begin with the milliseconds since 1970');
select is(
  (select array_agg(distinct table_schema || '.' || table_name || '.' || column_name order by table_schema || '.' || table_name || '.' || column_name)
   from information_schema.columns
   where table_schema in ('public', 'certvakt') and data_type = 'uuid' and column_default like '%gen_random_uuid%'),
  null, 'no column makes random ones');

select * from finish();
rollback;
