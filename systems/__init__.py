"""What a city has: one folder of declarations for each system, read by `catalog.registry`."""
