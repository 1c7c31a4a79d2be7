"""Things of urban management, one file a kind."""
