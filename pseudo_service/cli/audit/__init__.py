"""``pseudo audit``: verify, query, evidence."""
