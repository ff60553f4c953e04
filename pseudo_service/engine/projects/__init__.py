"""Use cases of custodians: projects, policies, closing."""
