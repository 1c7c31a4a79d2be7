"""Gas network: regulating stations, and methane in the wells of its valves."""
