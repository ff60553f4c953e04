"""``pseudo opt-outs`` and ``pseudo aliases``."""
