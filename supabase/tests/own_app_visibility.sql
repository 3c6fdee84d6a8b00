-- visibility.sql in an app with its own hierarchy.
\set world fixtures/own_app.psql
\ir visibility.sql
