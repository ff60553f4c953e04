"""Files that commands read: tables, numbers, lines."""
