"""`python -m bench`: how fast certvakt is beside the least that PostgreSQL and HTTP/2 would need, and beside
other programs that do the same. Ratios are the result; a slow machine slows both sides."""
