"""What there is to tell: an event with its labels, and matchers on them."""
