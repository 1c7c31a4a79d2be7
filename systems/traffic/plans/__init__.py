"""Plans of the traffic system, one file each."""
