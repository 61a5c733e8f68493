"""The demonstration dossiers: invented people, with circles that show each state a screen can take."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Story:
    """One person followed. `circle` names what is added around the creator (circles.MEMBERS), `then` what others add
    once she has closed the dossier: (who, what)."""

    birth_name: str
    given_names: str
    sex: str
    birth_date: date
    town: str
    postal_code: str
    motif: str
    by: str = "coordinatrice"
    used_name: str = ""
    birth_place: str = "Albi"
    birth_place_code: str = "81004"
    status: str = "actif"
    matricule13: str = ""
    validated: bool = False
    homonym: bool = False
    doubtful: bool = False
    circle: tuple[str, ...] = ()
    then: tuple[tuple[str, str], ...] = ()
    phone: str = ""


STORIES = (
    Story(
        "Exemple", "Jeanne Louise Marie", "female", date(1941, 3, 14), "Carmaux", "81400", "domicile",
        used_name="Martin", birth_place="Carmaux", birth_place_code="81060", matricule13="2410381060012",
        validated=True, phone="0536492211",
        circle=("medecin", "infirmiere", "kine", "psychologue_refus", "sociale", "ssiad", "dac", "pharmacie",
                "fille_aidante", "fils_confiance", "discret", "parti"),
    ),
    Story("Bernard", "Yvonne", "female", date(1938, 7, 2), "Albi", "81000", "domicile",
          circle=("infirmiere", "fille_aidante"), then=(("infirmiere", "pharmacie"), ("infirmiere", "kine"))),
    Story("Dupré", "Amina", "female", date(1972, 11, 19), "Carmaux", "81400", "complexe",
          circle=("medecin", "sociale", "psychologue_refus"), then=(("medecin", "kine"),)),
    Story("Faure", "Lucien Jean", "male", date(1945, 1, 30), "Gaillac", "81600", "sortie",
          validated=True, circle=("medecin", "pharmacie"), then=(("medecin", "infirmiere"),)),
    Story("Garrigues", "Odette", "female", date(1934, 9, 8), "Cordes-sur-Ciel", "81170", "domicile",
          circle=("ssiad", "fille_aidante")),
    Story("Lopez", "Martin", "male", date(1989, 5, 23), "Albi", "81000", "handicap", by="coordinatrice2",
          circle=("sociale",)),
    Story("Martin", "Jeanne", "female", date(1956, 12, 11), "Lavaur", "81500", "complexe", by="coordinatrice2",
          status="evaluation", homonym=True),
    Story("Pujol", "Rémi", "male", date(2011, 4, 5), "Albi", "81000", "enfant",
          circle=("mere_responsable",)),
    Story("Roques", "Simone", "female", date(1940, 10, 17), "Rabastens", "81800", "domicile",
          by="coordinatrice2", status="pause", circle=("infirmiere",)),
    Story("Salvan", "Denis", "male", date(1968, 2, 28), "Castres", "81100", "addictologie",
          by="coordinatrice2", circle=("discret",)),
    Story("Vidal", "Germaine Paule", "female", date(1931, 6, 21), "Mazamet", "81200", "domicile",
          status="clos", circle=("fille_aidante",)),
    Story("Témoin", "Alphonse", "male", date(1950, 8, 3), "Graulhet", "81300", "precarite",
          doubtful=True, status="evaluation", circle=("sociale",)),
)  # fmt: skip

# More dossiers, plain, so that lists, paging and filters have something to show.
MORE_FAMILY = (
    "Abeille", "Barthe", "Calvet", "Delmas", "Espinasse", "Fabre", "Gleizes", "Houlès", "Issanchou", "Jalabert",
    "Lacombe", "Maurel", "Négrier", "Ourliac", "Puech", "Rivière", "Sicard", "Thouy", "Vayssière", "Viguier",
)  # fmt: skip
MORE_GIVEN = (
    ("Andrée", "female"), ("Bernard", "male"), ("Colette", "female"), ("Daniel", "male"), ("Éliane", "female"),
    ("Fernand", "male"), ("Ginette", "female"), ("Hubert", "male"), ("Irène", "female"), ("Jacques", "male"),
)  # fmt: skip
MORE_TOWNS = (
    ("Albi", "81000"),
    ("Carmaux", "81400"),
    ("Gaillac", "81600"),
    ("Castres", "81100"),
    ("Réalmont", "81120"),
)
