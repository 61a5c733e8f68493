"""Agendas exchanged with partners (GAP-92 to 98): pushed as they change, asked of them every so often."""
