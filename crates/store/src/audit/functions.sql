-- Every function that people may call, with the types of its arguments, except for functions of extensions, trigger
-- functions, and functions that run with the caller's rights and read no table.
select format('%I.%I', n.nspname, p.proname) as "name!",
  array(select format_type(t, null) from unnest(p.proargtypes::oid[]) with ordinality as a (t, place) order by place) as "arguments!"
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where p.prokind = 'f' and p.prorettype <> 'trigger'::regtype and (p.prosecdef or p.provolatile <> 'i')
  and n.nspname not in ('pg_catalog', 'information_schema')
  and has_schema_privilege('authenticated', n.oid, 'USAGE') and has_function_privilege('authenticated', p.oid, 'EXECUTE')
  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
order by 1, 2
