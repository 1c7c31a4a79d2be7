"""Networks of the city, one file each with a name ``NETWORK``."""
