"""Surfaces of records, made from their declarations."""
