-- Who may do what: found in the catalogue, not listed by hand.
begin;
select plan(14);

create view pg_temp.ours as
select c.oid, c.oid::regclass::text as name, n.nspname, c.relname, c.relowner, c.relrowsecurity, c.relforcerowsecurity
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm')
  and (n.nspname = 'certvakt' or n.nspname = 'public' and c.relname in ('peer_mentor_certifications', 'cert_notification_log'));

select is_empty($$select name from pg_temp.ours where relname <> 'schema_migrations' and not (relrowsecurity and relforcerowsecurity)$$,
  'row-level security is enabled and forced on every table');
select is_empty($$
  select o.name, r.rolname, p.privilege from pg_temp.ours o, unnest(array['anon', 'authenticated']) as r(rolname),
    unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as p(privilege)
  where has_table_privilege(r.rolname, o.oid, p.privilege)$$, 'people reach no table');
select is_empty($$
  select r.rolname from unnest(array['anon', 'authenticated']) as r(rolname) where has_schema_privilege(r.rolname, 'certvakt', 'USAGE')$$,
  'nor the schema');
select is_empty($$
  select p.oid::regprocedure, r.rolname from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
    unnest(array['anon', 'authenticated', 'public']) as r(rolname)
  where n.nspname = 'certvakt' and has_function_privilege(r.rolname, p.oid, 'EXECUTE')$$, 'nor any function');
select is_empty($$
  select r.rolname from pg_roles r, (select oid, relowner from pg_temp.ours where relname = 'cert_notification_log') l
  where not r.rolsuper and r.oid <> l.relowner and not pg_has_role(r.oid, l.relowner, 'USAGE')
    and r.rolname not like 'pg\_%' and has_table_privilege(r.oid, l.oid, 'DELETE')$$, 'no role but the owner may delete from the log');
select is_empty($$
  select r.rolname from pg_roles r, (select oid, relowner from pg_temp.ours where relname = 'cert_notification_log') l
  where r.rolname in ('certvakt_worker', 'certvakt_registrar', 'certvakt_definer', 'service_role', 'anon', 'authenticated')
    and (has_table_privilege(r.oid, l.oid, 'UPDATE') or has_table_privilege(r.oid, l.oid, 'TRUNCATE'))$$, 'nor may any update it');
select is((
  select string_agg(r.rolname, ', ' order by r.rolname) from pg_roles r
  where r.rolname in ('certvakt_worker', 'certvakt_registrar', 'certvakt_definer', 'service_role', 'anon', 'authenticated')
    and has_table_privilege(r.oid, 'public.cert_notification_log', 'INSERT')),
  'certvakt_worker, service_role', 'the background role and service_role record');
select is_empty($$select rolname from pg_roles where rolname like 'certvakt\_%' and rolname not in ('certvakt_owner', 'certvakt_service')
  and (rolsuper or rolbypassrls or rolcanlogin or rolcreaterole or rolcreatedb or rolreplication)$$, 'the roles of the service are plain');
select is_empty($$select c.oid::regclass from pg_class c join pg_roles r on r.oid = c.relowner
  where r.rolname in ('certvakt_worker', 'certvakt_registrar', 'certvakt_definer')$$, 'and own nothing');
select is_empty($$
  select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = 'certvakt' and p.prosecdef and not coalesce(p.proconfig, '{}') @> array['search_path=""']$$,
  'definer functions have an empty search_path');
select is_empty($$
  select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = 'certvakt' and p.prosqlbody is null and p.proconfig is null$$, 'and no function has one that can change');
select is((
  select string_agg(distinct r.rolname, ', ') from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner
  where n.nspname = 'certvakt' and p.prosecdef and p.proname <> 'delete_old_notices'),
  'certvakt_definer', 'definer functions belong to a role that nobody signs in as');
select is_empty($$
  select f.conrelid::regclass, f.conname from pg_constraint f
  where f.contype = 'f' and f.conrelid in (select oid from pg_temp.ours)
    and not exists (
      select from pg_index i where i.indrelid = f.conrelid and i.indpred is null
        and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey)
    -- Or one that begins with a column which alone tells the row referred to.
    and not exists (
      select from unnest(f.conkey, f.confkey) as k(referring, referred)
      join pg_index i on i.indrelid = f.conrelid and i.indpred is null and i.indkey[0] = k.referring
      join pg_index u on u.indrelid = f.confrelid and u.indisunique and u.indnatts = 1 and u.indkey[0] = k.referred)$$,
  'every foreign key has an index');
select is_empty($$
  select a.indexrelid::regclass, b.indexrelid::regclass from pg_index a join pg_index b
    on a.indrelid = b.indrelid and a.indexrelid < b.indexrelid and a.indkey::text = b.indkey::text
    and coalesce(a.indpred::text, '') = coalesce(b.indpred::text, '')
  where a.indrelid in (select oid from pg_temp.ours)$$, 'no index is there twice');

select * from finish();
rollback;
