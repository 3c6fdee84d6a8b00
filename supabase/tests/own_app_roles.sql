-- Where an app owns the hierarchy, it gives and ends roles: administrators see them, and the functions refuse everybody.
\set world fixtures/own_app.psql
\set owner app
\ir roles.sql
