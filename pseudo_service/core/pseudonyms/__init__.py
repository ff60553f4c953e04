"""Keyed hashes of identifiers and the text form of pseudonyms."""
