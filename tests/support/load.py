"""How much this machine has to do."""

import os


def queue() -> float:
    """Return how many want each processor, as a mean over the last minute."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)
