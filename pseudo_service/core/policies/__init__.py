"""The policy language: read, checked, planned, explained, suggested."""
