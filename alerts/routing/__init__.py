"""Who is notified: routes, silences, groups, causes."""
