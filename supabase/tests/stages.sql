-- The declared stages, and the check constraints that enumerate them.
begin;
select plan(28);

create function pg_temp.definition(of_constraint text) returns text language sql as $$
  select pg_get_constraintdef(oid) from pg_constraint where conname = of_constraint
$$;
create function pg_temp.organisation(lead_times text) returns text language sql as $$
  select format($q$insert into certvakt.organisations (slug, name, time_zone, lead_times)
    values ('a%s', 'A', 'Europe/Oslo', %L)$q$, md5(lead_times), lead_times)
$$;
create function pg_temp.type_of(lead_times text) returns text language sql as $$
  select format($q$insert into certvakt.certification_types (organisation_id, code, name, lead_times)
    select id, '%s', 'T', %L from certvakt.organisations where slug = 'a'$q$, md5(lead_times), lead_times)
$$;
insert into certvakt.organisations (slug, name, time_zone) values ('a', 'A', 'Europe/Oslo');

select results_eq('select name from certvakt.stages order by days_before desc',
  array['expiry_warning_90d', 'expiry_warning_30d', 'expiry_warning_7d', 'expired'], 'a new installation declares four stages');
select is(certvakt.days_kept(), 180, 'it keeps notices for 180 days');
select is(pg_temp.definition('cert_notification_log_notification_type_known'),
  'CHECK ((notification_type = ANY (ARRAY[''expiry_warning_90d''::text, ''expiry_warning_30d''::text, ''expiry_warning_7d''::text, ''expired''::text])))',
  'the log accepts these');
select throws_ok(pg_temp.organisation('{365}'), '23514', null, 'an organisation cannot select an undeclared lead time');
select throws_ok(pg_temp.organisation('{NULL}'), '23514', null, 'nor null');
select throws_ok(pg_temp.organisation('{}'), '23514', null, 'nor none');
select throws_ok(pg_temp.type_of('{365}'), '23514', null, 'a type cannot select an undeclared lead time');
select throws_ok(pg_temp.type_of('{90,NULL}'), '23514', null, 'nor null');
select throws_ok(pg_temp.type_of('{}'), '23514', null, 'nor none');
select lives_ok(pg_temp.type_of('{30,7}'), 'a type selects among the declared ones');
select lives_ok($$insert into certvakt.certification_types (organisation_id, code, name)
  select id, 't', 'T' from certvakt.organisations where slug = 'a'$$, 'or leaves them to its organisation');

select is(certvakt.declare_stage(365), 455, 'another stage keeps notices for longer');
select is(pg_temp.definition('cert_notification_log_notification_type_known'),
  'CHECK ((notification_type = ANY (ARRAY[''expiry_warning_365d''::text, ''expiry_warning_90d''::text, ''expiry_warning_30d''::text, ''expiry_warning_7d''::text, ''expired''::text]))) NOT VALID',
  'the log accepts it, and old rows are not read');
select certvakt.validate_stages();
select ok((select bool_and(convalidated) from pg_constraint k
  join certvakt.stage_checks() s on s.name = k.conname and to_regclass(s.relation) = k.conrelid), 'every check is validated');
select is(pg_temp.definition('deliveries_stage_known'),
  replace(pg_temp.definition('cert_notification_log_notification_type_known'), 'notification_type', 'stage'),
  'deliveries accept the same');
select lives_ok(pg_temp.organisation('{365,7}'), 'an organisation selects it');
select throws_ok('select certvakt.remove_stage(365)', '23514', null, 'it cannot be removed then');
update certvakt.organisations set lead_times = '{90}';
select lives_ok(pg_temp.type_of('{365,7}'), 'a type selects it');
select throws_ok('select certvakt.remove_stage(365)', '23514', null, 'it cannot be removed then either');
select is(regexp_replace(pg_temp.definition('certification_types_lead_times_declared'), ' NOT VALID$', ''),
  regexp_replace(pg_temp.definition('organisations_lead_times_declared'), ' NOT VALID$', ''), 'types select among the same as organisations');
select throws_ok('select certvakt.remove_stage(90)', '23001', null, 'nor can one of a new installation');
select throws_ok('select certvakt.declare_stage(0)', '23514', null, 'a lead time is at least a day');
select throws_ok($$select certvakt.declare_stage(n) from generate_series(200, 210) n$$, '54000', null, 'there are at most twelve');
select throws_ok($$select certvakt.delete_old_notices('454 days', 1)$$, '22023', 'notices are kept for at least 455 days',
  'retention keeps notices for as long as the longest lead time needs');
select ok(not has_function_privilege(r, f, 'execute'), r || ' cannot change the stages')
from (select 'certvakt_registrar' r, 'certvakt.declare_stage(integer)' f) who;
select ok(has_column_privilege(r, 'certvakt.certification_types', 'lead_times', 'update') = can, r || ': ' || can || ' for the lead times of a type')
from (values ('certvakt_registrar', true), ('authenticated', true), ('anon', false)) who (r, can);

select * from finish();
rollback;
