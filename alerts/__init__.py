"""Transitions become episodes, and episodes reach people: exactly once in, at least once out."""
