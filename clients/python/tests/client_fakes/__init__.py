"""Stands in for the service, so that the client is tested without it."""
