"""Life cycles: the one write path for what people and machines do, deadlines, log, links, KPIs.

Imports storage, engine, service and catalog. What a record owes to alerts it leaves in
``record_events``, and what alerts ask of records lies in ``record_openings``.
"""
