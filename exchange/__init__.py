"""The ways out: what other systems and the public may take away."""
