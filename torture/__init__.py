"""Injects faults into the real binary and a real PostgreSQL server for many rounds, each drawn from a
printed seed, and checks after each round, with its own copy of the rules, that nothing was lost or recorded
twice."""
