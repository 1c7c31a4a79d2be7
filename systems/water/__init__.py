"""Rivers, ponding, surface water and water supply."""
