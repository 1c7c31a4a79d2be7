"""Things as they are now: placed, with a state that follows from what is known of them."""
