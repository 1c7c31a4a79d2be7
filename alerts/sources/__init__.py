"""Where changes come from besides the worker: other systems, exercises, answers, the clock."""
