"""Recognisers of dates and of great ages."""
