"""What the city is: streams, sensors, severities, units, and the contracts of every message."""
