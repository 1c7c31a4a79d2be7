"""Collectors, citizens, departments of 数字城管: a few hundred cases a day through the real API."""
