"""Truth: detectors and forecasts scored on labelled data, by the engine that runs in the city."""
