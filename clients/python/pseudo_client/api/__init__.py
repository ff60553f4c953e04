"""The wire contract, generated from proto/; and what a failed call carries."""
