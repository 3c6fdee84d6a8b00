-- $1 person
with recursive same as (
  select $1::uuid as id
  union
  select other.id
  from same
  cross join lateral (
    select v.successor_id from certvakt.person_changes v where v.person_id = same.id and v.kind = 'merged'
    union all
    select v.person_id from certvakt.person_changes v where v.successor_id = same.id
  ) other (id)
)
select p.id from same join certvakt.people p on p.id = same.id
where p.id <> $1 and p.erased_at is null
order by p.id
