"""What each long-running process stands on: settings, logging, health, Kafka, PostgreSQL."""
