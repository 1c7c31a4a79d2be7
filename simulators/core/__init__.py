"""The machinery of the synthetic city: randomness, calendar, fleets, events."""
