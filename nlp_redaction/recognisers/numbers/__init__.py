"""Recognisers of numbers and codes that identify."""
