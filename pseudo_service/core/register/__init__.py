"""The sealed register of identities: segments and reports."""
