"""The vaults behind ``ports.key_vault``: Azure's, and a laptop's own."""
