"""Projects: what is fixed when one is made, and how one ends."""
