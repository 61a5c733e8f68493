"""A circle sent to a partner (role Créateur) and a partner's circle received here (role Consommateur)."""
