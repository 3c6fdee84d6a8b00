-- The lints of Supabase's linter (splinter), except for those about privileges, which are in access.sql: exposed tables and
-- functions, views, policies evaluated once per row, several permissive policies, indexes of foreign keys, primary keys.
-- Its lint authenticated_security_definer_function_executable reports our functions for people. They must run as their
-- owner, and the schema certvakt is not exposed.
begin;
select plan(13);

create temporary table tables as
select c.oid, c.relrowsecurity, c.reloptions from pg_class c
where c.relkind in ('r', 'p') and (c.relnamespace = 'certvakt'::regnamespace
  or c.oid in ('public.peer_mentor_certifications'::regclass, 'public.cert_notification_log'::regclass));
create temporary table policies as
select p.polrelid::regclass as at, p.polname, p.polcmd, p.polpermissive, p.polroles && array[0, 'anon'::regrole::oid, 'authenticated'::regrole::oid] as is_for_people,
  regexp_replace(coalesce(pg_get_expr(p.polqual, p.polrelid), ''), '\s', '', 'g') as condition,
  regexp_replace(coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''), '\s', '', 'g') as with_check
from pg_policy p where p.polrelid in (select oid from pg_temp.tables);

select is_empty($$
  select p.oid::regprocedure from pg_proc p
  where p.pronamespace = 'certvakt'::regnamespace and p.proconfig is null
    or p.pronamespace = 'certvakt'::regnamespace and 'search_path=""' <> all (p.proconfig)$$,
  'function_search_path_mutable: every function has an empty search_path');
select is_empty($$
  select distinct p.at from pg_temp.policies p join pg_temp.tables t on t.oid = p.at where not t.relrowsecurity$$,
  'policy_exists_rls_disabled: every policy has an effect');
select is_empty($$
  select array_agg(i.indexrelid::regclass) from pg_index i where i.indrelid in (select oid from pg_temp.tables)
  group by i.indrelid, i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text, i.indisunique,
    pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)
  having count(*) > 1$$, 'duplicate_index: no table has the same index twice');
select is_empty($$
  select i.indexrelid::regclass from pg_index i
  where i.indrelid in (select oid from pg_temp.tables) and not (i.indisvalid and i.indisready)$$, 'invalid_index: every index is usable');
select is_empty($$
  select t.oid::regclass from pg_temp.tables t, pg_options_to_table(t.reloptions) o
  where o.option_name = 'autovacuum_enabled' and not o.option_value::boolean$$, 'autovacuum_disabled: every table is vacuumed');
select is_empty($$
  select a.attrelid::regclass, a.attname from pg_attribute a
  where a.attrelid in (select oid from pg_temp.tables) and a.attnum > 0 and a.atttypid in (
    'regcollation'::regtype, 'regconfig'::regtype, 'regdictionary'::regtype, 'regnamespace'::regtype,
    'regoper'::regtype, 'regoperator'::regtype, 'regproc'::regtype, 'regprocedure'::regtype)$$,
  'unsupported_reg_types: no column prevents an upgrade of PostgreSQL');
select is_empty($$
  select e.extname from pg_extension e where e.extname = 'pg_trgm' and e.extnamespace = 'public'::regnamespace$$,
  'extension_in_public: the required extension is in another schema');
select is_empty($$
  select p.at, p.polname from pg_temp.policies p
  where p.is_for_people and p.polpermissive and (
    p.polcmd in ('w', 'd', '*') and p.condition in ('', 'true', '(true)')
    or p.polcmd in ('a', 'w', '*') and coalesce(nullif(p.with_check, ''), p.condition) in ('', 'true', '(true)'))$$,
  'rls_policy_always_true: no policy lets people write every row');
select is_empty($$
  select p.at, p.polname from pg_temp.policies p where p.condition || p.with_check ~* 'user_?metadata'$$,
  'rls_references_user_metadata: no policy trusts metadata that users can change');
select is_empty($$
  select p.at, p.polname from pg_temp.policies p where p.is_for_people and p.condition ~* '(\)|auth\.\w+\(\))isnull'$$,
  'rls_policy_null_auth_disjunct: no policy admits callers without a login');

-- Our own rules.
select is_empty($$
  select t.tgrelid::regclass, array_agg(t.tgname) from pg_trigger t, unnest(array[4, 8, 16, 32]) as event (bit)
  where t.tgrelid in (select oid from pg_temp.tables) and not t.tgisinternal and t.tgtype & event.bit > 0
  group by t.tgrelid, event.bit, t.tgtype & 2, t.tgtype & 1 having count(*) > 1
    and array_agg(t.tgname::text order by t.tgname) <> '{append_only,before_update}'$$, 'no event of a table has two triggers');

select is_empty($$
  select p.proname from pg_proc p where p.pronamespace = 'certvakt'::regnamespace group by p.proname having count(*) > 1$$,
  'no function is defined twice');
select is_empty($$
  select a.attrelid::regclass, a.attname, of_column.grantee::regrole, of_column.privilege_type
  from pg_attribute a join pg_class c on c.oid = a.attrelid, aclexplode(a.attacl) of_column, aclexplode(c.relacl) of_table
  where c.oid in (select oid from pg_temp.tables)
    and (of_table.grantee, of_table.privilege_type) = (of_column.grantee, of_column.privilege_type)$$,
  'no column grant repeats a table grant');

select * from finish();
rollback;
