"""Requests to turn pseudonyms back: terms, votes, events, results."""
