"""Urban management (数字城管): cases from report to closure."""
