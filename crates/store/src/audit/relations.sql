-- Every table and view with a column that people may read, with these columns.
select format('%I.%I', n.nspname, c.relname) as "name!", string_agg(quote_ident(a.attname), ', ' order by a.attnum) as "columns!"
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
  and has_schema_privilege('authenticated', n.oid, 'USAGE') and has_column_privilege('authenticated', c.oid, a.attnum, 'SELECT')
group by n.nspname, c.relname
order by 1
