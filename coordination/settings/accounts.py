"""Accounts, sessions and second factor (django-allauth)."""
