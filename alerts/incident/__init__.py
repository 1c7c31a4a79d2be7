"""Alerts of one cause: correlation, course, handling and queries."""
