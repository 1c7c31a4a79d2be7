"""Records of urban management."""
