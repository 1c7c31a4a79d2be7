"""Joint rules: a group of signals that no longer move together as they normally do."""
