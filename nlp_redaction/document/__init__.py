"""A text made ready to be searched, and what is said of it."""
