"""What we call: stores, key vaults, identity providers, the clock."""
