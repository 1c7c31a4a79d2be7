"""Emergency response: what is exercised, and what is to be done in an incident."""
