"""Grafana dashboards and provisioning, built from the catalog."""
