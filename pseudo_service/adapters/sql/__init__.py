"""The stores over SQLite and PostgreSQL."""
