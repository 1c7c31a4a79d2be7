"""Kinds of incidents, one file each with a name ``INCIDENT``."""
