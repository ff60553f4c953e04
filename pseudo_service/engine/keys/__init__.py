"""Keys in use: unwrapped, held, rotated, and signing."""
