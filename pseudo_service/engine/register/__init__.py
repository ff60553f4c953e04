"""The register in use: known identities, writing, opening, maintenance."""
