"""A synthetic city that publishes readings."""
