"""What a declaration of a plan may say: when, whom, what to show, who decides, and until when."""
