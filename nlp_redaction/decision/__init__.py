"""One decision of all that was found in a text."""
