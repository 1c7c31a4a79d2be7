"""From the outbox to the receiver: formats, signed attempts, receivers and their log."""
