"""The operators' web: HTTP API and pages."""
