"""The rules. Only the public functions in here change data; each runs in one transaction of its own."""
