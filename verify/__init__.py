"""Hold the platform to its promises: the plain reference, the judge, and chaos."""
