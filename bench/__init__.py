"""`python -m bench`: measures certvakt against floors (the minimum work in PostgreSQL and HTTP/2) and
against other programs. The results are ratios, because a slow machine slows both sides."""
