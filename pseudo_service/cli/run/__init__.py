"""``pseudo run``: tables in, de-identified tables and a manifest out."""
