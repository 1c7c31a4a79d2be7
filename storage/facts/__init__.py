"""Facts: rows exactly once, their minutes, and the minutes as a stream."""
