"""The command line: a client of the service like any other, and its keeper."""

import os

# gRPC's own lines about broken connections would stand between a command's answers;
# it reads the variable when it is first imported, so it is set before that.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
