"""Accounting of disclosures: which project was given which person."""
