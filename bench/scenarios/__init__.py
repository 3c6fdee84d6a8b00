"""What is measured, a file for each kind of work. Every scenario checks its counts: a wrong result is an
error, not a fast time."""
