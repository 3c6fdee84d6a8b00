"""Third-party tools that test a running service and its database."""
