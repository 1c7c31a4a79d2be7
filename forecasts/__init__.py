"""What comes: forecasts of streams with their uncertainty, issued, scored and verified."""
