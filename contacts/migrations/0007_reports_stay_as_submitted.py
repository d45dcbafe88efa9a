"""The words of a submitted report never change: the database itself refuses it (domain.md §10)."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION report_stays_as_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.situation, OLD.needs, OLD.feedback, OLD.objections, OLD.competitor, OLD.attitude, OLD.sales_plan, OLD.place,
        OLD.ours, OLD.theirs, OLD.preparation, OLD.service, OLD.promises, OLD.products, OLD.profile, OLD.log_id, OLD.author_id)
       IS DISTINCT FROM
       (NEW.situation, NEW.needs, NEW.feedback, NEW.objections, NEW.competitor, NEW.attitude, NEW.sales_plan, NEW.place,
        NEW.ours, NEW.theirs, NEW.preparation, NEW.service, NEW.promises, NEW.products, NEW.profile, NEW.log_id, NEW.author_id) THEN
        RAISE EXCEPTION 'report % is submitted', OLD.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'report_stays_as_submitted', TABLE = 'contacts_communicationreport';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER report_stays_as_submitted BEFORE UPDATE ON contacts_communicationreport
    FOR EACH ROW WHEN (OLD.status IN ('submitted', 'reviewed')) EXECUTE FUNCTION report_stays_as_submitted();
"""

ALLOW = """
DROP TRIGGER report_stays_as_submitted ON contacts_communicationreport;
DROP FUNCTION report_stays_as_submitted();
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0006_communication_reports")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
