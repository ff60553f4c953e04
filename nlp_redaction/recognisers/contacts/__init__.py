"""Recognisers of telephone numbers, e-mail and web addresses."""
