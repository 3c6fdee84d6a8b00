"""Other people's tools, let loose on a running service and its database."""
