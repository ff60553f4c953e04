"""Use cases of auditors: checkpoints, verification, traces."""
