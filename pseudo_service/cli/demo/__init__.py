"""``pseudo demo``: the whole service on invented patients."""
