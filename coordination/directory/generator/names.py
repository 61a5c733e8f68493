"""Surnames and first names: nobody in particular, in the proportions of a country.

A few hundred frequent surnames and some 130,000 made of syllables, drawn along a long tail, so that
homonyms are as many as in life and the index meets as many different words.
"""

from __future__ import annotations

import random
from itertools import accumulate

POOL_SIZE = 130_000
# Weight of rank r is (r + SHIFT) ** -SLOPE: the first surname is borne by one person in 300, as in France.
SHIFT, SLOPE = 15, 0.85

FREQUENT = """
MARTIN BERNARD THOMAS PETIT ROBERT RICHARD DURAND DUBOIS MOREAU LAURENT SIMON MICHEL LEFEBVRE LEROY ROUX DAVID
BERTRAND MOREL FOURNIER GIRARD BONNET DUPONT LAMBERT FONTAINE ROUSSEAU VINCENT MULLER LEFÈVRE FAURE ANDRÉ MERCIER
BLANC GUÉRIN BOYER GARNIER CHEVALIER FRANÇOIS LEGRAND GAUTHIER GARCIA PERRIN ROBIN CLÉMENT MORIN NICOLAS HENRY
ROUSSEL MATHIEU GAUTIER MASSON MARCHAND DUVAL DENIS DUMONT MARIE LEMAIRE NOËL MEYER DUFOUR MEUNIER BRUN BLANCHARD
GIRAUD JOLY RIVIÈRE LUCAS BRUNET GAILLARD BARBIER ARNAUD MARTINEZ GÉRARD ROCHE RENARD SCHMITT ROY LEROUX COLIN
VIDAL CARON PICARD ROGER FABRE AUBERT LEMOINE RENAUD DUMAS LACROIX OLIVIER PHILIPPE BOURGEOIS PIERRE BENOÎT REY
LECLERC PAYET ROLLAND LECLERCQ GUILLAUME LECOMTE LOPEZ JEAN DUPUY GUILLOT HUBERT BERGER CARPENTIER SANCHEZ DUPUIS
MOULIN LOUIS DESCHAMPS HUET VASSEUR PEREZ BOUCHER FLEURY ROYER KLEIN JACQUET ADAM PARIS POIRIER MARTY AUBRY GUYOT
CARRÉ CHARLES RENAULT CHARPENTIER MÉNARD MAILLARD BARON BERTIN BAILLY HERVÉ SCHNEIDER FERNANDEZ COLLET LÉGER BOUVIER
JULIEN PRÉVOST MILLET PERROT DANIEL COUSIN GERMAIN BRETON BESSON LANGLOIS RÉMY PELLETIER LÉVÊQUE PERRIER LEBLANC
BARRÉ LEBRUN MARCHAL WEBER MALLET HAMON BOULANGER JACOB MONNIER MICHAUD RODRIGUEZ GUICHARD GILLET ÉTIENNE GRONDIN
POULAIN TESSIER CHEVALLIER COLLIN CHAUVIN BOUCHET GAY LEMAITRE BÉNARD MARÉCHAL HUMBERT REYNAUD ANTOINE HOARAU PERRET
BARTHÉLEMY CORDIER PICHON LEJEUNE GILBERT LAMY DELAUNAY PASQUIER CARLIER LAPORTE NGUYEN TRAORÉ DIALLO HADDAD
""".split()

ONSETS = (
    "B BL BR C CH CL CR D DR F FL FR G GL GR GU J L M N P PL PR QU R S SAV T TR V VR BEAU CHAM FON GAR HAU LAN MON "
    "POU RO SAL TOUR VIL KER ETCH ARR IR OTX ZA"
).split()
VOWELS = ("A", "E", "I", "O", "U", "AI", "AU", "EAU", "EU", "OI", "OU", "AN", "EN", "ON", "IN", "É", "È")
MIDDLES = "B BR C CH D DR F G GN L LL M N NN P PR QU R RD RG RL RM RN RR RT S SS ST T TR TT V VR LT LB LM".split()
ENDINGS = (
    "IER EAU ARD ET IN OUX AUD ELLE EZ OT AC AN OY EN ON OUD IÈRE ENS OUR AL AS AIN ER ART ERT OIS IE ETTE IGNAC "
    "AGUE ÉRY ÈDE OULES ICHON INE ESSE ILLE ARRIEU AGNE ESCO ETTI ACH INI OWSKI IAN OZ"
).split()

PARTICLES = (
    ("LE ", 18), ("DE ", 16), ("D'", 6), ("DU ", 5), ("DE LA ", 4), ("BEN ", 6), ("EL ", 6), ("VAN ", 2),
    ("DOS ", 2), ("L'", 1),
)  # fmt: skip

WOMEN = """
Marie Nathalie Isabelle Sylvie Catherine Martine Christine Françoise Valérie Sandrine Stéphanie Véronique Sophie
Céline Chantal Patricia Anne Brigitte Julie Monique Aurélie Nicole Laurence Annie Émilie Dominique Virginie Corinne
Élodie Christelle Camille Caroline Léa Sarah Florence Laetitia Audrey Hélène Laura Manon Michèle Cécile Christiane
Béatrice Claire Nadine Delphine Pauline Karine Mélanie Marion Chloé Jacqueline Élisabeth Evelyne Marine Claudine
Anaïs Lucie Danielle Carole Fabienne Mathilde Sandra Pascale Annick Charlotte Emma Séverine Sabrina Amandine Myriam
Jocelyne Alexandra Angélique Josiane Joëlle Agnès Mireille Vanessa Justine Sonia Bernadette Emmanuelle Oriane
Amélie Clara Fanny Inès Juliette Ludivine Maëlle Noémie Océane Solène Yasmine Zoé Zélie Éléonore Gaëlle Anouk
Marie-Claude Marie-Christine Anne-Marie Marie-Hélène Anne-Sophie Marie-Laure Anne-Laure Marie-Pierre Rose-Marie
Fatima Aïcha Khadija Leïla Nour Salomé Capucine Apolline Garance Margaux Mélissa Jade Louise Alice Rose Lina
""".split()

MEN = """
Jean Michel Philippe Pierre Alain Nicolas Patrick Christophe Daniel Stéphane Laurent Christian Thierry Pascal Bernard
Éric Frédéric David Olivier François Sébastien Julien Didier Thomas Bruno Alexandre Gilles Vincent Serge Jacques
Guillaume Dominique Franck Marc Antoine Maxime Romain Fabrice Jérôme Patrice Gérard Anthony Hervé Yves Benjamin
Kevin Quentin Arnaud Emmanuel Claude Denis Mathieu Lucas Hugo Clément Adrien Fabien Cédric Ludovic Damien Régis
Théo Louis Paul Simon Yann Benoît Xavier Rémi Rémy Joël Noël Noé Gaël Loïc Cyril Aurélien Grégory Florian Jordan
Arthur Victor Gabriel Raphaël Nathan Enzo Léo Samuel Baptiste Valentin Corentin Bastien Tristan Gauthier Étienne
Jean-Pierre Jean-Claude Jean-Luc Jean-François Jean-Michel Jean-Paul Jean-Marc Jean-Louis Pierre-Yves Paul-Émile
Mohamed Karim Mehdi Rachid Youssef Amadou Ibrahim Sofiane Björn Iñaki Beñat Mikel Andreu Lluís Marc-Antoine
""".split()


class Names:
    """Draws surnames and first names; the same seed gives the same people."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.pool = _pool(rng)
        self._weights = list(accumulate((rank + SHIFT) ** -SLOPE for rank in range(len(self.pool))))
        self._women_weights = list(accumulate((rank + 12) ** -0.7 for rank in range(len(WOMEN))))
        self._men_weights = list(accumulate((rank + 12) ** -0.7 for rank in range(len(MEN))))

    def surnames(self, count: int) -> list[str]:
        """Return `count` surnames in capitals, some of them double."""
        drawn = self.rng.choices(self.pool, cum_weights=self._weights, k=count)
        for index in range(0, count, 29):
            joiner = "-" if index % 3 else " "
            drawn[index] = f"{drawn[index]}{joiner}{drawn[index - 1]}"
        return drawn

    def women(self, count: int) -> list[str]:
        return self.rng.choices(WOMEN, cum_weights=self._women_weights, k=count)

    def men(self, count: int) -> list[str]:
        return self.rng.choices(MEN, cum_weights=self._men_weights, k=count)


def _pool(rng: random.Random) -> list[str]:
    names = dict.fromkeys(FREQUENT)
    particles = [p for p, _ in PARTICLES]
    weights = list(accumulate(w for _, w in PARTICLES))
    while len(names) < POOL_SIZE:
        size = 20_000
        parts = (
            rng.choices(ONSETS, k=size),
            rng.choices(VOWELS, k=size),
            rng.choices(MIDDLES, k=size),
            rng.choices(ENDINGS, k=size),
        )
        made = ["".join(four) for four in zip(*parts, strict=True)]
        # One in fourteen carries a particle, as "LE GOFF", "DE LA TOUR", "D'HERVÉ".
        carried = rng.choices(particles, cum_weights=weights, k=size // 14)
        for index, particle in enumerate(carried):
            made[index * 14] = _with_particle(particle, made[index * 14])
        names.update(dict.fromkeys(made))
    return list(names)[:POOL_SIZE]


def _with_particle(particle: str, name: str) -> str:
    if particle in ("D'", "L'") and name[0] not in "AEIOUÉÈ":
        name = f"A{name.lower()}".upper()
    return particle + name
