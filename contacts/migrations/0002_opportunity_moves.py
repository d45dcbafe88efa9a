"""Hold stages to the pipeline of domain.md §9 in the database: no shell and no bulk write moves one elsewhere."""

from django.db import migrations

MOVES = """
CREATE FUNCTION contacts_opportunity_follows_pipeline() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.stage, NEW.stage) NOT IN (
        ('new', 'planned'), ('new', 'contacted'), ('new', 'lost'),
        ('planned', 'contacted'), ('planned', 'on_hold'), ('planned', 'lost'),
        ('contacted', 'proposed'), ('contacted', 'on_hold'), ('contacted', 'lost'),
        ('proposed', 'agreed'), ('proposed', 'contacted'), ('proposed', 'on_hold'), ('proposed', 'lost'),
        ('agreed', 'won'), ('agreed', 'proposed'), ('agreed', 'on_hold'), ('agreed', 'lost'),
        ('on_hold', 'contacted'), ('on_hold', 'lost'),
        ('lost', 'new')
    ) AND NOT EXISTS (
        -- Undo: back to where the newest move came from.
        SELECT FROM (
            SELECT from_stage, to_stage FROM contacts_opportunitystagehistory
            WHERE opportunity_id = NEW.id ORDER BY id DESC LIMIT 1
        ) newest WHERE newest.from_stage = NEW.stage AND newest.to_stage = OLD.stage
    ) THEN
        RAISE EXCEPTION 'opportunity % may not move from % to %', NEW.id, OLD.stage, NEW.stage
            USING ERRCODE = 'check_violation', CONSTRAINT = 'opportunity_stage_follows_pipeline';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER opportunity_stage_follows_pipeline BEFORE UPDATE OF stage ON contacts_opportunity
FOR EACH ROW WHEN (OLD.stage IS DISTINCT FROM NEW.stage)
EXECUTE FUNCTION contacts_opportunity_follows_pipeline();
"""

BACK = """
DROP TRIGGER opportunity_stage_follows_pipeline ON contacts_opportunity;
DROP FUNCTION contacts_opportunity_follows_pipeline();
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_contacts")]

    operations = [migrations.RunSQL(MOVES, BACK)]
