"""Scenarios of the simulator, one file each with a name ``SCENARIO``."""
