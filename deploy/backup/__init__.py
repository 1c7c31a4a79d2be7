"""Backup and restore: one file with the database and what belongs to it outside of the database."""
