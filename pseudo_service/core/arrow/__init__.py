"""Arrow and numpy kernels that know nothing of patients."""
