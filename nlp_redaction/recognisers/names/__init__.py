"""Recognisers of people's names."""
