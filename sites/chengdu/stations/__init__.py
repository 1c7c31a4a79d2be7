"""Sensors placed by hand: one file a stream, with a name ``STATIONS``."""
