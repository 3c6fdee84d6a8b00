"""The scenarios, one file for each kind of work. Every scenario checks its counts, so that a wrong result
is an error instead of a fast time."""
