"""The few building blocks of all pages: table, map, chart, head."""
