"""How fast the pipe is, beside its peers and beside what its parts could do alone."""
