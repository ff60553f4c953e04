"""Messages of the wire to values of the core, and back."""
