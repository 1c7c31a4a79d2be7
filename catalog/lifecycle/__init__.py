"""The language of life cycles: records, their clocks and calendar, KPIs, and lasting things."""
