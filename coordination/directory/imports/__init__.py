"""Loads of the national files, of regional complements, and what they guarantee (runs.py)."""
