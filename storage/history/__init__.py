"""History: whole days of readings from files into the tables, with their minutes and rollups."""
