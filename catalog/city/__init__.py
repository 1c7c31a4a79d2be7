"""Chengdu: districts, streets and the sensors that the declarations place in them."""
