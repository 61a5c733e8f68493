"""The indexes the search box walks (search/branches.py, search/houses.py), with the identifiers it looks up."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db.models import Func, Index, Q, Value
from django.db.models.functions import Left

# Words of the name and, as words too, where it is and what it is: one index answers any mix of them. Names are folded
# already, so that cutting at blanks is enough: the parser of texts costs a third of the whole index.
WORDS = Func(
    "search_name",
    Value(" dep"),
    Left("postal_code", 2),
    Value(" com"),
    "commune_code",
    Value(" cp"),
    "postal_code",
    Value(" cat"),
    "category",
    arg_joiner=" || ",
    template="array_to_tsvector(array_remove(string_to_array(lower(%(expressions)s), ' '), ''))",
)

OF_STRUCTURES = [
    Index(OpClass("search_name", "varchar_pattern_ops"), name="structure_name"),
    GinIndex(WORDS, name="structure_words"),
    Index("merged_into", name="structure_merged_into", condition=Q(merged_into__isnull=False)),
    Index("part_of", name="structure_part_of", condition=Q(part_of__isnull=False)),
    Index("finess_ej", name="structure_finess_ej", condition=~Q(finess_ej="")),
    Index("siret", name="structure_siret", condition=~Q(siret="")),
    Index("siren", name="structure_siren", condition=~Q(siren="")),
    Index("phone", name="structure_phone", condition=~Q(phone="")),
    Index("email", name="structure_email", condition=~Q(email="")),
    Index("mss_address", name="structure_mss", condition=~Q(mss_address="")),
]

OF_PROFESSIONALS = [
    # Only the few that no activity names yet: the others are found by their activities.
    Index(
        OpClass("search_family", "varchar_pattern_ops"),
        OpClass("search_given", "varchar_pattern_ops"),
        name="professional_of_partner",
        condition=Q(source="partenaire"),
    ),
    Index("mss_address", name="professional_mss", condition=~Q(mss_address="")),
    Index("email", name="professional_email", condition=~Q(email="")),
    Index("phone", name="professional_phone", condition=~Q(phone="")),
]

# The four walks of the search box (search/branches.py): by name, by given name, by département, by trade.
OF_ACTIVITIES = [
    Index(
        OpClass("search_family", "varchar_pattern_ops"),
        OpClass("search_given", "varchar_pattern_ops"),
        "profession",
        name="activity_name",
    ),
    # One column only: with the family name beside it, a prepared plan would take it for the wrong half.
    Index(OpClass("search_given", "varchar_pattern_ops"), name="activity_given"),
    Index(
        Left("postal_code", 2),
        OpClass("search_family", "varchar_pattern_ops"),
        OpClass("search_given", "varchar_pattern_ops"),
        OpClass("commune_code", "varchar_pattern_ops"),
        "profession",
        OpClass("postal_code", "varchar_pattern_ops"),
        name="activity_place",
    ),
    Index(
        "profession",
        OpClass("postal_code", "varchar_pattern_ops"),
        "speciality",
        name="activity_profession",
    ),
    Index("phone", name="activity_phone", condition=~Q(phone="")),
    Index("email", name="activity_email", condition=~Q(email="")),
    Index("mss_address", name="activity_mss", condition=~Q(mss_address="")),
]
