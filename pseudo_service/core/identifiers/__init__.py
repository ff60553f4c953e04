"""Identifiers of people: kinds, canonical forms, superseded numbers."""
