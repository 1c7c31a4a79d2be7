"""One module per kind of dashboard; each gives its pages in one language."""
