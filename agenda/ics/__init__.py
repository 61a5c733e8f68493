"""iCalendar (RFC 5545): what goes to people's own calendars, and what is read back from them.

Pure: no database, no request. Who may read what is decided before; these modules write what they are given.
"""
