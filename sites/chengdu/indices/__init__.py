"""Indices of the city, one file each with a name ``INDEX``."""
