"""Commands of ``python -m alerts``, one file per subject."""
