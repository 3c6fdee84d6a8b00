-- Who may upload, check, import and undo registers, and what a register cannot change.
begin;
select plan(15);
\ir fixtures/world.psql
\ir fixtures/certified.psql
\ir fixtures/become.psql

-- The number of rows that a statement changes for somebody, which is then taken back.
create function pg_temp.changes(who text, change text) returns integer language plpgsql as $$
declare
  changed integer;
begin
  perform pg_temp.become(who);
  set local role authenticated;
  begin
    execute change;
    get diagnostics changed = row_count;
    raise exception using errcode = 'ZZ001', message = changed::text;
  exception
    when sqlstate 'ZZ001' then changed := sqlerrm::integer;
    when insufficient_privilege then changed := 0;
  end;
  reset role;
  return changed;
end
$$;
create function pg_temp.all_who_may(change text) returns text language sql as $$
  select string_agg(l.kind, ' ' order by l.kind) from pg_temp.login l where pg_temp.changes(l.kind, change) > 0
$$;
create function pg_temp.upload(chapter text, limits text) returns text language sql as $$
  select format('insert into certvakt.uploads (organisation_id, chapter_id, limited_to, options, content, proposal, state)
    values (%L, %s, %s, %L, %L, %L, %L)', '00000000-0000-4000-8000-0000000000a0', chapter, limits, '{}', 'Nr', '{}', 'draft')
$$;
\set own '''{00000000-0000-4000-8000-0000000000a2,00000000-0000-4000-8000-0000000000a4}'''
\set beside '''{00000000-0000-4000-8000-0000000000a3}'''

select is(pg_temp.all_who_may(pg_temp.upload('null', 'null')), 'administrator', 'administrators upload registers of the organisation');
select is(pg_temp.all_who_may(pg_temp.upload('null', :'own')), 'coordinator', 'a coordinator uploads a register of their chapters');
select is(pg_temp.all_who_may(pg_temp.upload('null', :'beside')), 'both', 'another one that of another chapter');
select is(pg_temp.all_who_may(pg_temp.upload('null', $$'{00000000-0000-4000-8000-0000000000a2,00000000-0000-4000-8000-0000000000a3}'$$)),
  null, 'nobody extends the limits');
select is(pg_temp.all_who_may(pg_temp.upload($$'00000000-0000-4000-8000-0000000000a3'$$, :'own')), null,
  'the chapter of rows without one is within the limits');

insert into certvakt.uploads (organisation_id, person_id, limited_to, options, content, proposal, state, result)
values ('00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-000000000001', :own, '{}', 'Nr', '{}', 'checked', '{}');
select is(pg_temp.all_who_may($$update certvakt.uploads set state = 'checking', person_id = certvakt.current_person()$$),
  'administrator coordinator', 'its coordinator and administrators check it');
select is(pg_temp.all_who_may($$update certvakt.uploads set state = 'received'$$), 'coordinator', 'only the person who had it checked imports it');
select is(pg_temp.all_who_may($$delete from certvakt.uploads$$), 'administrator coordinator', 'both discard it');
delete from certvakt.memberships where person_id = '00000000-0000-4000-8000-000000000001';
select is(pg_temp.all_who_may($$delete from certvakt.uploads$$), 'administrator', 'a former coordinator does not');
select pg_temp.join_in('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000a2', 'coordinator');

insert into certvakt.imports (organisation_id, chapter_ids, certification_types, read, added, updated, unchanged, rejected, renewed,
  corrected, limited_to)
select '00000000-0000-4000-8000-0000000000a0', '{}', '{}', 0, 0, 0, 0, 0, 0, 0, l
from (values (null::uuid[]), (:own)) v (l);
select is(pg_temp.all_who_may($$update certvakt.imports set undo_requested_at = now(), undo_requested_by = certvakt.current_person()
  where limited_to is null$$), 'administrator', 'administrators undo imports of the organisation');
select is(pg_temp.all_who_may($$update certvakt.imports set undo_requested_at = now(), undo_requested_by = certvakt.current_person()
  where limited_to is not null$$), 'administrator coordinator', 'a coordinator undoes those within their chapters');
select is(pg_temp.all_who_may($$update certvakt.imports set undo_requested_at = now(),
  undo_requested_by = '00000000-0000-4000-8000-000000000005'$$), null, 'nobody in the name of another');

-- The triggers refuse what the sender may not change, even if the import did not reject the row.
create function pg_temp.renew(said text) returns void language plpgsql as $$
begin
  perform set_config('certvakt.change', said, true);
  update public.peer_mentor_certifications set expires_at = '2028-06-20T20:00:00Z' where right(id::text, 2) = 'a2';
end
$$;
select throws_ok($$select pg_temp.renew('{"source": "register", "actor": "00000000-0000-4000-8000-0000000100a2"}')$$,
  '42501', 'nobody imports a change of their own certification', 'nobody renews themselves with a register');
select throws_ok($$select pg_temp.renew('{"source": "register", "actor": "00000000-0000-4000-8000-000000000001",
  "chapters": ["00000000-0000-4000-8000-0000000000a3"]}')$$, '42501', 'the register is limited to other chapters',
  'a register changes nothing outside its limits');
select lives_ok($$select pg_temp.renew('{"source": "register", "actor": "00000000-0000-4000-8000-000000000001",
  "chapters": ["00000000-0000-4000-8000-0000000000a2"]}')$$, 'and what is inside');
select * from finish();
rollback;
