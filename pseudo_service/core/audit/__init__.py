"""Audit events, their chains, and how both are verified."""
