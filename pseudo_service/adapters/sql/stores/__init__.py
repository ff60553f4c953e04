"""One store a subject, in SQL."""
