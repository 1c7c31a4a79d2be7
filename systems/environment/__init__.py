"""Air, weather and noise."""
