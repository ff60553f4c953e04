"""What every command shares: connection, options, output, exit codes."""
