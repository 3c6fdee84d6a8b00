-- Where an app owns the hierarchy, it ends and moves people: the functions refuse everybody.
\set world fixtures/own_app.psql
\set allowed ''
\set moved ''
\ir ends.sql
