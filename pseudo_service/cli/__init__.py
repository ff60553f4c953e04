"""The command line: a client of the service like any other, and its keeper."""
