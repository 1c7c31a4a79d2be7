"""Chengdu: districts, streets, shapes, owners, and the stations that are placed by hand."""
