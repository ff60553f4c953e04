"""``pseudo project``, ``pseudo key`` and ``pseudo policy``."""
