"""Invented data of the style pages, close to the mock-ups of the design system."""

import datetime as dt

from django.utils.safestring import mark_safe

from tests.front.forms import AccessForm, PersonForm

PAUL = [2] * 8 + [1, 1, 2, 2, 1, 2, 1, 0]
NONE = [0] * 16

IDENTITY = {
    "name": "MARTIN Jeanne",
    "born": {"word": "Née", "name": "EXEMPLE"},
    "sex": "Féminin",
    "sex_short": "F",
    "birth_date": dt.date(1941, 3, 14),
    "age": "85 ans",
    "ins": {"state": "qualifiee", "matricule": "241038199901211"},
    "tags": [],
    "referent": {"label": "Référente du parcours", "name": "EXEMPLE-LARRIEU Maëlle"},
    "my_access": {"text": "15 rubriques sur 16", "url": "#acces"},
    "alerts": {"count": 2, "url": "#alertes"},
    "menu": [{"label": "Mettre en pause", "url": "#pause"}, {"label": "Clôturer", "url": "#cloture", "danger": True}],
    "note": "",
}


def rubric_nav(current):
    """Return the four groups with `current` chosen."""

    def item(key, label, icon, **more):
        return {"key": key, "label": label, "icon": icon, "url": f"#{key}", "current": key == current, **more}

    return [
        {"label": "", "items": [item("accueil", "Accueil du dossier", "house")]},
        {
            "label": "La personne",
            "items": [
                item("identite", "Identité et droits", "person-vcard"),
                item("cercle", "Cercle de soins", "people"),
                item("vie", "Ligne de vie", "activity"),
            ],
        },
        {
            "label": "Échanges",
            "items": [
                item("liaison", "Cahier de liaison", "chat-left-text", count=2),
                item("agenda", "Agenda", "calendar3"),
                item("reunions", "Réunions", "calendar-check"),
                item("taches", "Tâches et alertes", "check2-square", count=2),
            ],
        },
        {
            "label": "Accompagnement",
            "items": [
                item("medical", "Volet médical", "heart-pulse"),
                item("psy", "Volet psychologique", "lock", closed=True),
                item("social", "Volet social", "house-heart"),
                item("evaluations", "Évaluations", "clipboard2-pulse"),
                item("plan", "Plan personnalisé", "signpost", later=True),
            ],
        },
        {
            "label": "Pièces et traces",
            "items": [item("documents", "Documents", "folder"), item("journal", "Journal des accès", "clock-history")],
        },
    ]


MENU = [
    {"label": "Modifier", "url": "#m", "icon": "pencil"},
    {"label": "Historique", "url": "#h", "icon": "clock-history"},
    {"label": "Suspendre", "url": "#s", "method": "post"},
    {"label": "Retirer du cercle", "url": "#r", "danger": True},
]


def member(name, initials, second, role, phone, value, detail, *, unique=False, shape="person", levels=NONE, **more):
    """Return one row of the circle."""
    access = {"value": value, "detail": detail}
    access.update(more.pop("access", {}))
    return {
        "name": name, "url": f"/cercle/membres/{initials}/", "initials": initials, "shape": shape, "second": second,
        "role": role, "role_unique": unique, "since": "", "phone": phone, "red_list": False, "access": access,
        "levels": levels, "pending": False, "tags": [], "edit_url": "#modifier", "acts": "actes-1", **more,
    }  # fmt: skip


GROUPS = [
    {"title": "Professionnels", "members": [
        member("TESTARD Paul", "TP", "Médecin généraliste, Carmaux", "Médecin traitant", "+33536491021", "ecriture",
               "15 rubriques sur 16, 11 en écriture", unique=True, levels=PAUL),
        member("EXEMPLE-LARRIEU Maëlle", "EM", "Coordinatrice, DAC Exemple", "Référente du parcours", "0536491040",
               "ecriture", "15 rubriques sur 16, 10 en écriture", unique=True, levels=PAUL),
        member("SPÉCIMEN Inès", "SI", "Infirmière libérale, Carmaux", "Infirmière", "0639984107", "lecture",
               "4 rubriques sur 16", levels=[1] * 4 + [0] * 12),
        member("MODÈLE Karim", "MK", "Kinésithérapeute, Carmaux", "Kinésithérapeute", "0639982055", "attente",
               "Invitation ouverte le 20/11", levels=PAUL, pending=True,
               access={"link_label": "relancer", "link_url": "#relancer", "link_method": "post"}),
        member("FACTICE Sonia", "FS", "Psychologue, CMP Exemple, Albi", "Psychologue", "0536493312", "refus",
               "Noté le 12/11/2026, accès fermé", tags=[{"label": "Discret"}]),
        member("ÉCHANTILLON-ROC Rose", "ÉR", "Assistante sociale, CCAS Exemple", "Assistante sociale", "0536497702",
               "aucun", "Ajoutée sans habilitation", access={"link_label": "habiliter", "link_url": "#h"}),
    ]},
    {"title": "Structures", "members": [
        member("SSIAD Exemple de Carmaux", "", "Soins infirmiers à domicile", "Soins à domicile", "0536498100",
               "ecriture", "Chacun selon sa profession", shape="structure", levels=PAUL,
               access={"phrase": "Habilitée, 3 délégués"}),
        member("Pharmacie du Viaur (exemple)", "", "Pharmacie d’officine, Carmaux", "Pharmacie habituelle",
               "0536491066", "aucun", "Ne peut pas se connecter", shape="structure"),
    ]},
    {"title": "Proches et aidants", "members": [
        member("MARTIN Claire", "MC", "Fille, Carmaux", "Aidante principale", "", "aucun", "Espace aidant non ouvert",
               unique=True, shape="relative", red_list=True, edit_url=None),
    ]},
]  # fmt: skip


def patient(name, second, motive, referent, news=None, following="", status="Actif", kind="", is_new=False):
    """Return one row of the file active."""
    return {
        "url": "#dossier", "name": name, "second": second, "motive": motive, "referent": referent, "news": news,
        "next": following, "status": status, "status_kind": kind, "is_new": is_new,
    }  # fmt: skip


MAELLE = "EXEMPLE-LARRIEU Maëlle"
PATIENTS = [
    patient("BERNARD Yvonne", "02/07/1938, 88 ans, Albi", "Maintien à domicile", MAELLE,
            {"tag": "Urgent", "tag_kind": "refus", "tag_icon": "exclamation-triangle", "strong": "2 notes de soins",
             "when": "il y a 40 min"}, "Auj. 14:00, visite", is_new=True),
    patient("DUPRÉ Amina", "19/11/1972, 54 ans, Carmaux", "Parcours complexe", MAELLE,
            {"text": "TESTARD Paul a accepté l’invitation", "when": "il y a 2 h"}, "Mer. 25/11, réunion", is_new=True),
    patient("FAURE Lucien", "30/01/1945, 81 ans, Gaillac", "Retour d’hospitalisation", "PATRON Élise",
            {"text": "Compte rendu de sortie déposé", "when": "hier, 18:12"}, is_new=True),
    patient("GARRIGUES Odette", "08/09/1934, 92 ans, Cordes-sur-Ciel", "Maintien à domicile", MAELLE, None,
            "Ven. 27/11, SSIAD"),
    patient("MARTIN Jeanne", "11/12/1956, 69 ans, Lavaur", "Parcours complexe", "PATRON Élise",
            status="En évaluation", kind="att"),
    patient("ROQUES Simone", "17/10/1940, 86 ans, Rabastens", "Maintien à domicile", MAELLE, status="En pause",
            kind="auc"),
]  # fmt: skip


def _option(key, title, line, second, third, action, **more):
    return {"id": f"opt-{key}", "title": mark_safe(title), "lines": [[line], second, third], "shape": "person",  # noqa: S308
            "initials": "ÉN", "action_label": action, "href": f"/choisi/{key}/", **more}  # fmt: skip


RESULTS = [
    {"id": "cercle", "label": "Déjà dans ce cercle", "options": [
        _option("1", "<mark>ÉCHANTILLON</mark>-ROC Rose", "Assistante sociale", ["CCAS Exemple", "Sans accès"],
                ["Carmaux 81400"], "Déjà membre, ouvrir")]},
    {"id": "national", "label": "Annuaire national, 2 professionnels", "options": [
        _option("2", "<mark>ÉCHANTILLON</mark> Nadia", "Médecin généraliste, RPPS 99 700 012 345",
                ["Maison de santé du Ségala", "Sans compte : une invitation sera envoyée"],
                ["Carmaux 81400", "Fiche du 18/11/2026"], "Choisir cet utilisateur"),
        _option("3", "LE <mark>CHANTILLON</mark> Hervé", "Pédicure-podologue, RPPS 99 700 071 118",
                ["Cabinet libéral"], ["Blaye-les-Mines 81400", "Fiche du 11/03/2026"], "Choisir cet utilisateur",
                badges=[{"label": "Exercice cessé ?"}])],
     "more": {"label": "Voir les 12 autres", "href": "/tous/"}},
    {"id": "main", "label": "Pas trouvé ?", "options": [
        {"id": "opt-main", "title": "Manuellement", "icon": "pencil", "lines": [["Créer la fiche d’un professionnel"]],
         "action_label": "Saisir", "href": "/a-la-main/"}]},
]  # fmt: skip

RIGHTS = [
    {"value": "ecriture", "title": "Peut lire et écrire : 11 rubriques", "items": [
        "Identité et droits", "Cercle de soins", "Cahier de liaison", "Notes de soins", "Agenda", "Réunions",
        "Tâches et alertes", "Volet médical", "Évaluations", "Documents médicaux", "Plan personnalisé"]},
    {"value": "lecture", "title": "Peut lire : 4 rubriques", "items": [
        "Volet psychologique", "Volet social", "Documents sociaux", "Ligne de vie"]},
    {"value": "aucun", "title": "Pas d’accès : 1 rubrique", "items": ["Journal des accès"]},
]  # fmt: skip


def refused_form():
    """Return the person form of mock-up f, bound and with two errors."""
    data = {
        "kind": "pro", "family_name": "PROTOTYPE", "given_name": "Gilles", "profession": "ergo",
        "email": "g.prototype@", "mobile": "06 39 98 44 1", "landline": "05 36 49 50 50",
        "structure": "Cabinet libéral", "role": "ergo", "postal_code": "81000", "town": "Albi",
    }  # fmt: skip
    return PersonForm(data)


def context(current="cercle", theme="light"):
    """Return what the context processor and a view would give."""

    def links_of(place, here=""):
        entries = {
            "nav": [("patients", "Patients"), ("annuaire", "Annuaire"), ("administration", "Administration")],
            "account": [("compte", "Mon compte")],
            "footer": [
                ("a11y", "Accessibilité : partiellement conforme"),
                ("aide", "Aide"),
                ("mentions", "Mentions légales"),
            ],
        }[place]
        return [
            {"key": key, "label": label, "url": f"#{key}", "icon": "", "current": key == here}
            for key, label in entries
        ]

    return {
        "product_name": "Dossier de coordination",
        "theme": theme,
        "links_of": links_of,
        "user_badge": {"name": "Maëlle EXEMPLE-LARRIEU", "detail": "Coordinatrice, DAC Exemple", "initials": "ME"},
        "shortcuts_on": True,
        "dossier_search_url": "/patients/ouvrir/",
        "logout_url": "/deconnexion/",
        "csrf_token": "jeton",
        "csrf_input": mark_safe('<input type="hidden" name="csrfmiddlewaretoken" value="jeton">'),
        "messages": [],
        "identity": IDENTITY,
        "rubric_nav": rubric_nav(current),
        "groups": GROUPS,
        "acts": MENU,
        "patients": PATIENTS,
        "results": RESULTS,
        "rights": RIGHTS,
        "levels": PAUL,
        "person_form": PersonForm(initial={"kind": "aidant", "town": "Carmaux"}),
        "access_form": AccessForm(initial={"role": "mt", "handover_date": dt.date(2026, 12, 1)}),
    }
