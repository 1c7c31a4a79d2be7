"""Streams, one file each with a name ``STREAM``."""
