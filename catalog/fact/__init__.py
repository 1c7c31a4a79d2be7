"""The language of facts: what one declares, and how facts travel."""
