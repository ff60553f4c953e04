"""Finds and replaces identifiers in clinical free text."""
