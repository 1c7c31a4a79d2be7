"""Road traffic: lane detectors and links."""
