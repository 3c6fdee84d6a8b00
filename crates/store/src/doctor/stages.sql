-- The names or days that a constraint enumerates, compared with those that it should.
select k.relation || ': ' || k.name as "check!"
from certvakt.stage_checks() k
left join pg_constraint c on c.conrelid = to_regclass(k.relation) and c.conname = k.name
where c.convalidated is not true
  or array(select m[1] from regexp_matches(pg_get_constraintdef(c.oid), '\m(expir\w*|\d+)\M', 'g') m order by 1)
    <> array(select m[1] from regexp_matches(k.expression, '\m(expir\w*|\d+)\M', 'g') m order by 1)
order by 1
