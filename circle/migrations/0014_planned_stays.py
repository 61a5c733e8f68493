"""What is planned of the presence of members, told by the versions of the circle as what has happened is.

A version says the days of a stay, known or planned: on the day, when the plan is carried out, it says the same.
"""

from importlib import import_module

import django.contrib.postgres.constraints
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import circle.stays
import coordination.common.ids

FACTS_BACK = import_module("circle.migrations.0013_facts_in_lists").FACTS
FACTS = r"""
-- In plpgsql, which keeps the plan: a function in SQL is planned again at each call.
CREATE OR REPLACE FUNCTION circle_facts(asked uuid) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN (
    SELECT jsonb_build_object(
        'identifier', jsonb_build_array(coalesce(c.identifier_system, ''), coalesce(c.identifier_value, '')),
        'status', coalesce(c.status, 'active'), 'name', coalesce(c.name, ''),
        'starts_on', c.starts_on, 'ends_on', c.ends_on, 'content', c.content,
        -- In pause and closed, whose state weighs on the circle's; the others say nothing of it.
        'state', CASE WHEN d.status IN ('pause', 'clos') THEN jsonb_build_array(d.status, d.status_on) END,
        'referent', d.referent_structure_id,
        -- Three lists read by the dossier, put together by who reads them: joined here, lists as short as these make
        -- the server compare each line of one with each line of the other.
        'members', coalesce((
            SELECT jsonb_agg(jsonb_build_array(m.id, m.kind, m.professional_id, m.activity_id, m.structure_id)
                ORDER BY m.id)
            FROM circle_member m
            WHERE m.dossier_id = asked AND m.id = ANY (ARRAY(
                SELECT p.member_id FROM circle_period p WHERE p.dossier_id = asked
                UNION ALL
                SELECT t.member_id FROM circle_plannedstay t
                WHERE t.dossier_id = asked AND t.closed_at IS NULL AND t.period_id IS NULL AND t.hindrance = ''
            ))
        ), '[]'),
        'stays', coalesce((
            SELECT jsonb_agg(jsonb_build_array(s.member_id, s.starts_on, s.ends_on)
                ORDER BY s.member_id, s.starts_on, s.ends_on)
            FROM (
                SELECT p.member_id, p.starts_on, coalesce(p.ends_on, (
                    SELECT t.ends_on FROM circle_plannedstay t
                    WHERE t.dossier_id = asked AND t.period_id = p.id AND t.closed_at IS NULL AND t.hindrance = ''
                ))
                FROM circle_period p WHERE p.dossier_id = asked
                UNION ALL
                SELECT t.member_id, t.starts_on, t.ends_on FROM circle_plannedstay t
                WHERE t.dossier_id = asked AND t.closed_at IS NULL AND t.period_id IS NULL AND t.hindrance = ''
            ) s (member_id, starts_on, ends_on)
        ), '[]'),
        -- What ended on the day it began never took effect.
        'roles', coalesce((
            SELECT jsonb_agg(jsonb_build_array(r.member_id, r.role, r.starts_on, r.ends_on)
                ORDER BY r.member_id, r.starts_on)
            FROM (
                SELECT r.member_id, r.role, r.starts_on, r.ends_on FROM circle_roleholding r
                WHERE r.dossier_id = asked AND (r.ends_on IS NULL OR r.ends_on > r.starts_on)
                UNION ALL
                SELECT t.member_id, t.role, t.starts_on, t.ends_on FROM circle_plannedstay t
                WHERE t.dossier_id = asked AND t.closed_at IS NULL AND t.period_id IS NULL AND t.hindrance = ''
                    AND t.role <> ''
            ) r
        ), '[]')
    )
    FROM dossiers_dossier d LEFT JOIN circle_circle c ON c.dossier_id = d.id WHERE d.id = asked
); END $$;
"""

TRIGGERS = r"""
CREATE CONSTRAINT TRIGGER circle_version_of_plans
    AFTER INSERT OR DELETE OR UPDATE OF starts_on, ends_on, role, closed_at, hindrance ON circle_plannedstay
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION circle_changed();
CREATE TRIGGER circle_look_again
    AFTER INSERT OR DELETE OR UPDATE OF starts_on, ends_on, role, closed_at, hindrance ON circle_plannedstay
    FOR EACH STATEMENT EXECUTE FUNCTION circle_look_again();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("circle", "0013_facts_in_lists"),
        ("dossiers", "0004_typographic_apostrophes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="kind",
            field=models.CharField(
                choices=[
                    ("ajout", "Ajout"),
                    ("retour", "Retour"),
                    ("modification", "Modification"),
                    ("liaison", "Liaison à l’annuaire"),
                    ("role", "Rôle"),
                    ("passation", "Passation"),
                    ("report", "Passation déplacée"),
                    ("abandon", "Passation annulée"),
                    ("habilitation", "Habilitation"),
                    ("demande", "Habilitation demandée"),
                    ("reduction", "Accès réduit"),
                    ("fin_acces", "Fin d’accès"),
                    ("partage", "Fondement du partage"),
                    ("retrait", "Retrait"),
                    ("annulation", "Retrait annulé"),
                    ("prevision", "Présence prévue"),
                    ("empechement", "Présence prévue empêchée"),
                    ("invitation", "Invitation"),
                    ("secretariat", "Secrétariat"),
                ],
                max_length=14,
            ),
        ),
        migrations.CreateModel(
            name="PlannedStay",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=coordination.common.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="entrée")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="sortie")),
                ("role", models.CharField(blank=True, max_length=20, verbose_name="rôle")),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("fin", "Fin de prise en charge"),
                            ("remplacement", "Remplacé par un autre professionnel"),
                            ("depart", "Départ ou changement de lieu d’exercice"),
                            ("souhait", "Souhait de la personne accompagnée"),
                            ("deces", "Décès"),
                            ("erreur", "Ajouté par erreur"),
                            ("doublon", "Doublon d’une autre entrée"),
                        ],
                        max_length=14,
                        verbose_name="motif du départ",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="précision")),
                ("planned_at", models.DateTimeField(auto_now_add=True)),
                ("hindrance", models.CharField(blank=True, max_length=300, verbose_name="empêchement")),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("fait", "Fait"), ("annule", "Annulé"), ("depasse", "Dépassé")],
                        max_length=10,
                    ),
                ),
                (
                    "dossier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dossiers.dossier"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="plans", to="circle.member"
                    ),
                ),
                (
                    "period",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="circle.period",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "présence prévue",
                "verbose_name_plural": "présences prévues",
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)), fields=["dossier"], name="planned_stay_by_dossier"
                    ),
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["starts_on", "ends_on"],
                        name="planned_stay_by_day",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("dossier", "period"),
                        name="one_planned_end_per_stay",
                        violation_error_message="Un départ est déjà prévu pour ce membre.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_on", None), ("ends_on__gt", models.F("starts_on")), _connector="OR"),
                        name="planned_stay_ends_after_it_starts",
                        violation_error_message="Le départ prévu suit l’entrée dans le cercle de soins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period", None), ("ends_on__isnull", False), _connector="OR"),
                        name="planned_end_has_a_day",
                        violation_error_message="Indiquez le jour du départ.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("outcome", "")),
                            models.Q(("closed_at__isnull", False), models.Q(("outcome", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="closed_plan_has_an_outcome",
                        violation_error_message="Ce qui était prévu est fait, annulé ou dépassé.",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("closed_at", None)),
                        expressions=[
                            ("dossier", "="),
                            ("member", "="),
                            (circle.stays.DateRange(models.F("starts_on"), models.F("ends_on")), "&&"),
                        ],
                        name="planned_stays_do_not_overlap",
                        violation_error_message="Une présence est déjà prévue à ces dates pour ce membre.",
                    ),
                ],
            },
        ),
        migrations.RunSQL([FACTS], reverse_sql=[FACTS_BACK]),
        # They go with their table.
        migrations.RunSQL([TRIGGERS], reverse_sql=[]),
    ]
