"""The journal of one dossier, as it is told: found (reading), in sentences (wording), as a file (workbook)."""
