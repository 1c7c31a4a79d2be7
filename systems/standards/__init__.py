"""Formulas and tables of published standards, as pure numpy functions."""
