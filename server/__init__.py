"""The composition root: HTTP, command line, observability."""
