"""What this machine does well: device, number format, memory, token budget."""
