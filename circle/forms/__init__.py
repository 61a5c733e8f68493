"""Shape of what is typed about a circle. Rules are in `actions`; here, only how things are written."""
