"""The native runtime: Kafka and TimescaleDB as plain processes of this machine."""
