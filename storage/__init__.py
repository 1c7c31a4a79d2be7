"""Migrations, the Kafka to TimescaleDB sink, dead letters and API keys."""
