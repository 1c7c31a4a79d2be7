"""What the streams share: weather, traffic, demand; each a function of the city and time."""
