"""What calls us: the gRPC server."""
