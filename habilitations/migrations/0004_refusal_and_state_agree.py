"""The state "refus" and a standing refusal are one fact: the database refuses one without the other (SEC-5).

Checked when the transaction ends, since the act writes both rows. No lock of its own: an act that changes the answer
writes the habilitation and the refusal that stands, so two such acts meet on a row, and the second judges what the
first has left.
"""

from django.db import migrations

GUARD = r"""
CREATE FUNCTION habilitations_check_refusal(checked uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    current habilitations_habilitation%ROWTYPE;
    standing uuid[];
BEGIN
    SELECT * INTO current FROM habilitations_habilitation WHERE id = checked;
    -- Gone with its refusals: nothing left to contradict.
    IF NOT FOUND THEN
        RETURN;
    END IF;
    standing := ARRAY(
        SELECT dossier_id FROM habilitations_refusal WHERE habilitation_id = checked AND withdrawn_at IS NULL
    );
    IF standing <> (CASE WHEN current.state = 'refus' THEN ARRAY[current.dossier_id] ELSE ARRAY[]::uuid[] END) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            CONSTRAINT = 'refusal_and_state_agree',
            TABLE = 'habilitations_habilitation',
            MESSAGE = 'Le refus du patient et l''habilitation de ce membre se contredisent : rien n''est enregistré.';
    END IF;
END $$;

CREATE FUNCTION habilitations_check_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM habilitations_check_refusal(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION habilitations_check_refusals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM habilitations_check_refusal(OLD.habilitation_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM habilitations_check_refusal(NEW.habilitation_id);
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER refusal_and_state_agree_at_birth
    AFTER INSERT ON habilitations_habilitation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'refus') EXECUTE FUNCTION habilitations_check_state();
CREATE CONSTRAINT TRIGGER refusal_and_state_agree
    AFTER UPDATE OF state, dossier_id ON habilitations_habilitation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ('refus' IN (OLD.state, NEW.state)) EXECUTE FUNCTION habilitations_check_state();
CREATE CONSTRAINT TRIGGER refusal_and_state_agree
    AFTER INSERT OR UPDATE OR DELETE ON habilitations_refusal DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION habilitations_check_refusals();
"""

BACK = """
DROP TRIGGER refusal_and_state_agree ON habilitations_refusal;
DROP TRIGGER refusal_and_state_agree ON habilitations_habilitation;
DROP TRIGGER refusal_and_state_agree_at_birth ON habilitations_habilitation;
DROP FUNCTION habilitations_check_refusals();
DROP FUNCTION habilitations_check_state();
DROP FUNCTION habilitations_check_refusal(uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("habilitations", "0003_one_known_state")]

    operations = [migrations.RunSQL([GUARD], reverse_sql=[BACK])]
