"""The peers: each a program of its own, set up as its documentation advises."""
