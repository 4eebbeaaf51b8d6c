"""Request handling shared by all interfaces: hosts, size limits and client addresses."""
