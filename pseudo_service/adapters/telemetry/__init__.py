"""Logs, metrics and traces behind the one port."""
