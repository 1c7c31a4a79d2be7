"""Plans at work: what holds, what is proposed for it, what is sent, and what is read back."""
