"""``pseudo manifest``: verify and read what a run left."""
