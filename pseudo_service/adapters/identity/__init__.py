"""Who calls: OIDC tokens, the local issuer, certificates."""
