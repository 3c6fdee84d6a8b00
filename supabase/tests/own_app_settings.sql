-- Where an app owns the hierarchy, it maintains the chapters.
\set world fixtures/own_app.psql
\set chapters ''
\ir settings.sql
