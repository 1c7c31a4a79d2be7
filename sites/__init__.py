"""Where: a city's districts, shapes, stations, owners and zone, one folder for each city."""
