"""The circle's pages. Each passes the door of its dossier; what may be done is asked of its abilities."""
