-- access.sql in an app that has a hierarchy of its own.
\set world fixtures/own_app.psql
\ir access.sql
