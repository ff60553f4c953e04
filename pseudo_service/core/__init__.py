"""Values, rules, cryptography and Arrow kernels: no I/O, no clock, no chance."""
