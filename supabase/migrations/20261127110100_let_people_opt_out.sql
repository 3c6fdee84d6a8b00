-- People choose by which kinds of contact point they hear of their certifications.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

comment on table certvakt.channel_opt_outs is
  'By which kinds of contact point a person wants no notices, from any organisation. It wins over every address.';

grant select, insert (person_id, kind), delete on certvakt.channel_opt_outs to certvakt_definer;
create policy definer_keeps on certvakt.channel_opt_outs to certvakt_definer using (true) with check (true);

create function certvakt.opt_outs() returns table (kind text, since timestamptz)
language sql stable security definer set search_path = ''
begin atomic
  select o.kind, o.created_at from certvakt.channel_opt_outs o
  where o.person_id = (select certvakt.current_person()) order by o.kind;
end;
comment on function certvakt.opt_outs is 'By which kinds of contact point the caller wants no notices.';

create function certvakt.opt_out(kind text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
begin
  if person is null then
    raise exception 'nobody we know has signed in' using errcode = 'insufficient_privilege';
  end if;
  insert into certvakt.channel_opt_outs (person_id, kind) values (person, opt_out.kind) on conflict do nothing;
end
$$;
comment on function certvakt.opt_out is 'Sends the caller no notices by a kind of contact point any more.';

create function certvakt.opt_in(kind text) returns void
language sql security definer set search_path = ''
begin atomic
  delete from certvakt.channel_opt_outs o
  where o.kind = opt_in.kind and o.person_id = (select certvakt.current_person());
end;
comment on function certvakt.opt_in is 'Sends the caller notices by a kind of contact point again.';

do $$
declare
  asked text;
begin
  foreach asked in array array['opt_outs()', 'opt_out(text)', 'opt_in(text)'] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
    execute format('alter function certvakt.%s owner to certvakt_definer', asked);
  end loop;
end
$$;
