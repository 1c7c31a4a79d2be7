"""Where changes come from besides the worker: other systems, drills, answers, the clock."""
