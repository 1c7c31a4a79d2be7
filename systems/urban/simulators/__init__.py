"""Physics of the streams, one file each with a function ``simulate``."""
