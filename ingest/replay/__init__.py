"""Replay of files: what the bytes are, where the table is, what a row means, and the sending."""
