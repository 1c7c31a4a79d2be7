"""The pure half of the worker: no I/O, no clock, the same outputs for the same log."""
