-- Declares more stages, which only the owner may do. The checks that enumerate the stages are generated in one place.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function certvakt.stage_checks() returns table (relation text, name text, expression text)
language sql stable set search_path = ''
begin atomic
  select c.relation, c.name, format(c.form,
    case when c.is_of_days then (select string_agg(s.days_before::text, ', ' order by s.days_before desc)
      from certvakt.stages s where s.days_before > 0)
    else (select string_agg(quote_literal(s.name), ', ' order by s.days_before desc) from certvakt.stages s) end)
  from (values
    ('public.cert_notification_log', 'cert_notification_log_notification_type_known', 'notification_type in (%s)', false),
    ('certvakt.deliveries', 'deliveries_stage_known', 'stage in (%s)', false),
    ('certvakt.organisations', 'organisations_lead_times_declared', 'lead_times <@ array[%s]', true),
    ('certvakt.certification_types', 'certification_types_lead_times_declared', 'lead_times <@ array[%s]', true)
  ) as c (relation, name, form, is_of_days);
end;
comment on function certvakt.stage_checks is 'Returns the check constraints that enumerate the declared stages.';

create function certvakt.enumerate_stages() returns void
language plpgsql set search_path = '' as $$
declare
  one record;
begin
  -- In the order in which most transactions read them, which makes a deadlock rare.
  lock table certvakt.organisations, certvakt.certification_types, certvakt.deliveries, public.cert_notification_log;
  for one in select * from certvakt.stage_checks() loop
    execute format('alter table %s drop constraint %I, add constraint %2$I check (%s) not valid',
      one.relation, one.name, one.expression);
  end loop;
end
$$;
comment on function certvakt.enumerate_stages is
  'Replaces the check constraints that enumerate the stages, without reading a row. Call certvakt.validate_stages in a later transaction.';

create function certvakt.validate_stages() returns void
language plpgsql set search_path = '' as $$
declare
  one record;
begin
  for one in select * from certvakt.stage_checks() loop
    execute format('alter table %s validate constraint %I', one.relation, one.name);
  end loop;
end
$$;
comment on function certvakt.validate_stages is
  'Checks the rows that are older than the constraints. In a transaction of its own, it does not stop readers and writers.';

create function certvakt.declare_stage(days integer) returns integer
language plpgsql set search_path = '' as $$
begin
  insert into certvakt.stages (days_before) values (days) on conflict do nothing;
  if (select count(*) from certvakt.stages where days_before > 0) > 12 then
    raise exception 'at most 12 lead times can be declared' using errcode = 'program_limit_exceeded';
  end if;
  perform certvakt.enumerate_stages();
  return certvakt.days_kept();
end
$$;
comment on function certvakt.declare_stage is
  'Declares the stage that starts a number of days before the last valid day. Returns the number of days for which notices are kept at least from then on.';

create function certvakt.remove_stage(days integer) returns integer
language plpgsql set search_path = '' as $$
begin
  if days in (90, 30, 7, -1) then
    raise exception 'the stages of a new installation cannot be removed' using errcode = 'restrict_violation';
  end if;
  delete from certvakt.stages where days_before = days;
  perform certvakt.enumerate_stages();
  perform certvakt.validate_stages();
  return certvakt.days_kept();
end
$$;
comment on function certvakt.remove_stage is
  'Removes a declared stage, unless a notice, a delivery or a selection has it. Reads the whole log under an exclusive lock.';

revoke all on function certvakt.stage_checks(), certvakt.enumerate_stages(), certvakt.validate_stages(),
  certvakt.declare_stage(integer), certvakt.remove_stage(integer) from public, anon, authenticated, service_role;
grant execute on function certvakt.stage_checks() to certvakt_worker;
