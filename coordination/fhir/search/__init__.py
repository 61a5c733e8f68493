"""Searching: from what was asked to conditions on the rooms' tables, and back to a Bundle."""
