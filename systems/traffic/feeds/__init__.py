"""Public feeds of the traffic system, one file each with a name ``FEED``."""
