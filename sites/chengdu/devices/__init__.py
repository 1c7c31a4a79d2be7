"""Devices of the city that plans command, one file a kind, a name ``DEVICES`` each."""
