"""Records of emergency response."""
