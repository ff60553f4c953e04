"""Disclosures in use: recorded, read, recalled, mapped."""
