select
  current_setting('server_version_num')::int as "version!",
  pg_encoding_to_char(encoding) as "encoding!",
  current_user::text as "login!",
  (select rolsuper from pg_roles where rolname = current_user) as "is_superuser!",
  coalesce((select pg_has_role(current_user, oid, 'member') from pg_roles where rolname = 'certvakt_worker'), false)
    as "may_work!",
  coalesce((select pg_has_role(current_user, oid, 'member') from pg_roles where rolname = 'certvakt_registrar'), false)
    as "may_register!",
  coalesce((select pg_has_role(current_user, oid, 'member') from pg_roles where rolname = 'authenticated'), false)
    as "may_answer!",
  coalesce((select pg_has_role(current_user, oid, 'member') from pg_roles where rolname = 'certvakt_auth'), false)
    as "may_authenticate!",
  array(
    select what from pg_roles r, lateral (values
      ('creates roles', r.rolcreaterole),
      ('bypasses row-level security', r.rolbypassrls),
      ('inherits what certvakt_worker may do', pg_has_role(r.oid, (select oid from pg_roles where rolname = 'certvakt_worker'), 'usage')),
      ('owns the schema', exists (select from pg_namespace n where n.nspname = 'certvakt' and n.nspowner = r.oid))
    ) as more (what, is_so)
    where r.rolname = current_user and is_so) as "excess!",
  array(
    select r.rolname::text from pg_roles r
    where r.rolname in ('certvakt_worker', 'certvakt_registrar', 'certvakt_auth', 'certvakt_definer', 'certvakt_viewer')
      -- The view that certvakt_viewer owns stores no rows.
      and (r.rolsuper or r.rolbypassrls or exists (select from pg_class c where c.relowner = r.oid and c.relkind <> 'v'))
    order by 1) as "strong_roles!",
  exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'certvakt' and c.relname = 'deliveries') as "is_migrated!",
  array(
    select c.oid::regclass::text from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p')
      and (n.nspname = 'certvakt' and c.relname <> 'schema_migrations'
        or n.nspname = 'public' and c.relname in ('peer_mentor_certifications', 'cert_notification_log'))
      and not (c.relrowsecurity and c.relforcerowsecurity)
    order by 1) as "open_tables!",
  coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as "is_encrypted!",
  coalesce(inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() = '::1', true) as "is_local!",
  clock_timestamp() as "now!"
from pg_database where datname = current_database()
