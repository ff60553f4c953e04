"""Who may do what, how much of it, and what looks like an attack."""
