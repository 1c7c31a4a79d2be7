"""The Faust worker: it feeds the engine from Kafka and stores its state with its offsets."""
