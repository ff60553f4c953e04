"""The models that judge words in their context, and the files they are read from."""
