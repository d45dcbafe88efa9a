"""Nobody leaves the bank with customers: the database itself refuses it (domain.md §6)."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION staff_leaves_nobody_behind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM customers_assignment
                WHERE staff_id = NEW.id AND role = 'primary' AND "end" IS NULL) THEN
        RAISE EXCEPTION 'member % still looks after customers', NEW.staff_no
            USING ERRCODE = 'check_violation', CONSTRAINT = 'staff_leaves_nobody_behind', TABLE = 'staff_staff';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER staff_leaves_nobody_behind BEFORE UPDATE OF is_active ON staff_staff
    FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active) EXECUTE FUNCTION staff_leaves_nobody_behind();
"""

ALLOW = """
DROP TRIGGER staff_leaves_nobody_behind ON staff_staff;
DROP FUNCTION staff_leaves_nobody_behind();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0025_handovers")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
