"""Major hazard sources: tanks of dangerous chemicals and the gas detectors around them."""
