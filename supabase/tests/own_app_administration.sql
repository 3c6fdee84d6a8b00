-- Where an app owns the hierarchy, administrators see the log, and the app adds and erases people.
\set world fixtures/own_app.psql
\set owner app
\ir administration.sql
