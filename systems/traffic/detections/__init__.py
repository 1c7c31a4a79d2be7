"""Detections of the traffic system, one file each with a name ``DETECTION``."""
