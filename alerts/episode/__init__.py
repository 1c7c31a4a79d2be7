"""One alert from raised to cleared: the rule's half, the people's half, and queries."""
