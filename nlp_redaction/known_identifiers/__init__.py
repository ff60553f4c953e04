"""Finds what the record already says of a text's patient, however it is written."""

from nlp_redaction.known_identifiers.search import find_known

__all__ = ["find_known"]
