"""What ``python -m nlp_redaction`` can be asked to do."""
