-- Two transactions that move chapters at the same time, each below the other's, made a cycle that neither could see.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

set local role certvakt_definer;
create or replace function certvakt.refuse_chapter_cycle() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- One move at a time in an organisation. It is written, not only locked: a transaction whose snapshot is older ends
  -- with a serialization failure instead of walking the tree as it was. A new chapter has nothing below it.
  if tg_op = 'UPDATE' then
    update certvakt.organisations o set has_renewal_events = o.has_renewal_events where o.id = new.organisation_id;
  end if;
  if exists (
    with recursive above as (
      select c.id, c.parent_id from certvakt.chapters c where c.id = new.parent_id
      union
      select c.id, c.parent_id from certvakt.chapters c join above a on c.id = a.parent_id
    )
    select from above where above.id = new.id
  ) then
    raise exception 'a chapter cannot be below itself' using errcode = 'check_violation';
  end if;
  return new;
end
$$;
reset role;
