"""What the person is told before she agrees: the text, and its version, which each record keeps.

Law: article L. 1110-4 of the Code de la santé publique (information, right to oppose), L. 1110-12 (équipe de soins),
D. 1110-3-1 (consent outside it). To be re-read by a data-protection officer before real use.
"""

VERSION = "2026-11"
TEXT = (
    "Pour vous accompagner, des professionnels partagent des informations qui vous concernent dans un dossier de "
    "coordination. Chacun ne voit que ce que sa profession permet et ce qui est utile à votre accompagnement.",
    "Les professionnels de votre équipe de soins partagent ces informations sans vous redemander votre accord à "
    "chaque fois. Un professionnel qui n’en fait pas partie n’y accède qu’avec votre accord exprès.",
    "Vous pouvez à tout moment refuser ce partage : pour un professionnel, pour une partie du dossier ou pour tout le "
    "dossier, sans vous justifier et sans conséquence sur vos soins. Vous pouvez aussi revenir sur un accord ou sur "
    "un refus. Le changement s’applique aussitôt.",
    "Vous pouvez demander qui a consulté votre dossier, en obtenir une copie et faire corriger ce qui est inexact.",
)
