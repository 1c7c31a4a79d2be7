"""Where the looks live: one style sheet for all pages."""

STYLE_URL = "/static/console.css"
