"""One class a gRPC service: decode, call the engine, encode."""
