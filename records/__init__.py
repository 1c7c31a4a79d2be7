"""Life cycles: the one way in which people and machines move the objects of a system."""
