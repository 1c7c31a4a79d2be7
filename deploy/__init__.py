"""Runtimes: how the platform is set up, started, watched and stopped on one machine."""
