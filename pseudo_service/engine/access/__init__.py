"""Access control, quotas and the enumeration monitor of every use case."""
