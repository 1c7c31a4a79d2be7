"""Things: objects that last, with a state that follows from what is known of them."""
