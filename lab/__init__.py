"""A PostgreSQL server, an installation of certvakt on it and the stand-in for the push service, for the
benchmark and the torture test. Shares no code with certvakt."""
