"""Lists that the hospital loads: opt-outs and superseded numbers."""
