"""Files and documents that the adapters read and write."""
