"""Kinds of incidents, one file each; see ``catalog/incident.py``."""
