"""The profiles of the matrix as shipped, in the words of the screen. Those of an installation: `catalog`. Pure."""

# {profile: its name in the matrix}, in the order of the matrix. A profile without a name is shown by its word.
NAMES = {
    "coordinateur_sante": "Coordonnateur, prof. de santé",
    "coordinateur_social": "Coordonnateur, autre",
    "medecin": "Médecin",
    "sage_femme": "Sage-femme",
    "infirmier": "Infirmier, IPA",
    "pharmacien": "Pharmacien",
    "reeducation": "Rééducation, diététique",
    "soins_ponctuels": "Dentiste, podologue, orthoptiste",
    "psychologue": "Psychologue",
    "aide_soignant": "Aide-soignant, AES / AMP",
    "assistant_social": "Assistant social, CESF",
    "educateur": "Éducateur",
    "aide_domicile": "Aide à domicile",
    "cadre_esms": "Encadrement médico-social",
    "secretariat": "Secrétariat",
    "mjpm": "Mandataire judiciaire",
    "education_nationale": "Éducation nationale",
    "transport_psdm": "Transport, matériel",
    "benevole": "Bénévole",
    "aidant": "Aidant invité",
    "representant_legal": "Représentant légal",
    "personne": "La personne elle-même",
    "inconnu": "Profession inconnue",
    "admin_technique": "Administrateur technique",
    "dpo": "Protection des données",
}

# {profile: whom it gathers, in the plural}, in the order of the matrix.
GATHERS = {
    "coordinateur_sante": "coordonnateurs de parcours (professionnels de santé)",
    "coordinateur_social": "coordonnateurs de parcours",
    "medecin": "médecins",
    "sage_femme": "sages-femmes",
    "infirmier": "infirmiers",
    "pharmacien": "pharmaciens",
    "reeducation": "professionnels de la rééducation",
    "soins_ponctuels": "chirurgiens-dentistes, pédicures-podologues et orthoptistes",
    "psychologue": "psychologues",
    "aide_soignant": "aides-soignants et AES",
    "assistant_social": "assistants de service social et CESF",
    "educateur": "éducateurs",
    "aide_domicile": "aides à domicile",
    "cadre_esms": "encadrants de services médico-sociaux",
    "secretariat": "secrétariats",
    "mjpm": "mandataires judiciaires",
    "education_nationale": "professionnels de l’Éducation nationale",
    "transport_psdm": "transporteurs sanitaires et prestataires de matériel",
    "benevole": "bénévoles",
    "dpo": "délégués à la protection des données",
}

# Rule 7: the circle is health data. These profiles get function and phone of the coordinator, of the
# emergency contacts and of their own structure, not the whole list.
REDUCED = frozenset({"aide_domicile", "transport_psdm", "benevole", "education_nationale"})
