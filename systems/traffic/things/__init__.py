"""Things of traffic, one file a kind."""
