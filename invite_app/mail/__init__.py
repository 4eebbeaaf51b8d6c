"""Messages (values that a test can read) and the ways they leave: SMTP, or the local outbox."""
