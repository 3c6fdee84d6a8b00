"""Torments the real binary and a real PostgreSQL for many rounds, each drawn from a printed seed, and
checks after each of them, with rules of its own, that nothing was lost and nothing recorded twice."""
