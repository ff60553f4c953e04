"""The recognisers: one kind of identifier a file, each usable in any Presidio registry."""
