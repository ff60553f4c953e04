"""The recognisers: one kind of identifier a file; ``presidio.py`` lends them to Presidio."""
