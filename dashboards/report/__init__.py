"""The day on one page (运行日报): HTML and PDF from the same functions that the wall reads."""
