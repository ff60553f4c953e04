"""Use cases: in which order things happen, and who must agree."""
