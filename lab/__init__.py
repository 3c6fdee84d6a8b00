"""A PostgreSQL server, an installation of certvakt on it and the stand-in for the push service, for
programs that measure or torment the real binary. Shares no code with it."""
