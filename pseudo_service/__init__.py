"""Pseudonymisation and de-identification of health data, over gRPC."""
