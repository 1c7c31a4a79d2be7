"""Things that the site places, one file a kind."""
