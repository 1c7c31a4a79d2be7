"""Facts, one file each with a name ``FACT``."""
