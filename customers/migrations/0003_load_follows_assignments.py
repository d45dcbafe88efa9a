"""Let the database itself keep loads and `Customer.manager` in step with the open assignments.

Whatever writes an assignment (a verb, a bulk load, a shell), the counts of `Load` and the manager
of the customer follow in the same statement, and the constraints of `Load` decide whether it fits.
Statement triggers work on whole sets, so that a COPY of a million assignments is one join. Customers
are locked before loads, each in key order, so that two writers never wait for each other in a ring.
"""

from django.db import migrations

LOAD_CLASS = """
-- The tier under which a customer weighs in a load: 0 stands for potential; a closed one weighs nothing.
CREATE FUNCTION customer_load_class(relation_status text, service_tier integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE relation_status WHEN 'signed' THEN service_tier WHEN 'closed' THEN NULL ELSE 0 END
$$;
"""

DROP_LOAD_CLASS = "DROP FUNCTION customer_load_class(text, integer);"

FOLLOW_ASSIGNMENTS = """
CREATE FUNCTION customers_load_after_{operation}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    without_load bigint;
BEGIN
    PERFORM 1 FROM customers_customer
        WHERE id IN (SELECT customer_id FROM ({changes}) AS changes)
        ORDER BY id FOR NO KEY UPDATE;

    UPDATE customers_customer AS customer SET manager_id = held.staff_id
        FROM (SELECT touched.customer_id, primary_manager.staff_id
                FROM (SELECT DISTINCT customer_id FROM ({changes}) AS changes WHERE role = 'primary') AS touched
                LEFT JOIN customers_assignment AS primary_manager
                    ON primary_manager.customer_id = touched.customer_id
                    AND primary_manager.role = 'primary' AND primary_manager."end" IS NULL) AS held
        WHERE customer.id = held.customer_id AND customer.manager_id IS DISTINCT FROM held.staff_id;

    SELECT min(staff_id) INTO without_load FROM ({changes}) AS changes
        WHERE NOT EXISTS (SELECT FROM customers_load AS load WHERE load.staff_id = changes.staff_id);
    IF without_load IS NOT NULL THEN
        RAISE EXCEPTION 'member % has no load row, so may not hold customers', without_load
            USING ERRCODE = 'check_violation', CONSTRAINT = 'load_row_exists', TABLE = 'customers_load';
    END IF;

    PERFORM 1 FROM customers_load
        WHERE staff_id IN (SELECT staff_id FROM ({changes}) AS changes)
        ORDER BY staff_id FOR NO KEY UPDATE;

    UPDATE customers_load AS load SET
            potential = load.potential + moved.potential,
            gold = load.gold + moved.gold,
            platinum = load.platinum + moved.platinum,
            diamond = load.diamond + moved.diamond
        FROM (SELECT staff_id,
                     coalesce(sum(sign) FILTER (WHERE load_class = 0), 0) AS potential,
                     coalesce(sum(sign) FILTER (WHERE load_class = 1), 0) AS gold,
                     coalesce(sum(sign) FILTER (WHERE load_class = 2), 0) AS platinum,
                     coalesce(sum(sign) FILTER (WHERE load_class = 3), 0) AS diamond
                FROM (SELECT changes.staff_id, changes.sign,
                             customer_load_class(customer.relation_status, customer.service_tier) AS load_class
                        FROM ({changes}) AS changes
                        JOIN customers_customer AS customer ON customer.id = changes.customer_id) AS classed
               GROUP BY staff_id) AS moved
        WHERE load.staff_id = moved.staff_id
          AND (moved.potential, moved.gold, moved.platinum, moved.diamond) IS DISTINCT FROM (0, 0, 0, 0);
    RETURN NULL;
END $$;

CREATE TRIGGER customers_load_after_{operation} AFTER {operation} ON customers_assignment
    REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION customers_load_after_{operation}();
"""

# Open relations that weigh, as rows (customer_id, staff_id, role, sign); an update takes away and adds.
OPEN = """SELECT customer_id, staff_id, role, {sign} AS sign FROM {table}
            WHERE "end" IS NULL AND role IN ('primary', 'adviser')"""
GONE = OPEN.format(sign=-1, table="gone_rows")
COME = OPEN.format(sign=1, table="come_rows")
OPERATIONS = {
    "insert": (COME, "NEW TABLE AS come_rows"),
    "update": (f"{GONE} UNION ALL {COME}", "OLD TABLE AS gone_rows NEW TABLE AS come_rows"),
    "delete": (GONE, "OLD TABLE AS gone_rows"),
}

DROP_FOLLOW_ASSIGNMENTS = """
DROP TRIGGER customers_load_after_{operation} ON customers_assignment;
DROP FUNCTION customers_load_after_{operation}();
"""

FOLLOW_TIER = """
-- A change of tier moves the customer to another column of the holder's load and is never refused:
-- what it pushes over a limit is noted in `…_over`, which the trigger on loads cuts to the true excess.
CREATE FUNCTION customers_load_after_tier() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before integer := coalesce(customer_load_class(OLD.relation_status, OLD.service_tier), -1);
    after integer := coalesce(customer_load_class(NEW.relation_status, NEW.service_tier), -1);
BEGIN
    IF before = after THEN
        RETURN NULL;
    END IF;

    PERFORM 1 FROM customers_load
        WHERE staff_id IN (SELECT staff_id FROM customers_assignment
                            WHERE customer_id = NEW.id AND "end" IS NULL AND role IN ('primary', 'adviser'))
        ORDER BY staff_id FOR NO KEY UPDATE;

    UPDATE customers_load AS load SET
            potential = load.potential + holder.n * ((after = 0)::int - (before = 0)::int),
            gold = load.gold + holder.n * ((after = 1)::int - (before = 1)::int),
            platinum = load.platinum + holder.n * ((after = 2)::int - (before = 2)::int),
            diamond = load.diamond + holder.n * ((after = 3)::int - (before = 3)::int),
            potential_over = load.potential_over + holder.n * (after = 0)::int,
            gold_over = load.gold_over + holder.n * (after = 1)::int,
            platinum_over = load.platinum_over + holder.n * (after = 2)::int,
            diamond_over = load.diamond_over + holder.n * (after = 3)::int,
            units_over = load.units_over + holder.n * greatest(0,
                (ARRAY[0, potential_weight, gold_weight, platinum_weight, diamond_weight])[after + 2]
                - (ARRAY[0, potential_weight, gold_weight, platinum_weight, diamond_weight])[before + 2])
        FROM (SELECT staff_id, count(*)::int AS n FROM customers_assignment
               WHERE customer_id = NEW.id AND "end" IS NULL AND role IN ('primary', 'adviser')
               GROUP BY staff_id) AS holder
        WHERE load.staff_id = holder.staff_id;
    RETURN NULL;
END $$;

CREATE TRIGGER customers_load_after_tier AFTER UPDATE OF service_tier, relation_status ON customers_customer
    FOR EACH ROW
    WHEN (OLD.service_tier <> NEW.service_tier OR OLD.relation_status <> NEW.relation_status)
    EXECUTE FUNCTION customers_load_after_tier();
"""

DROP_FOLLOW_TIER = """
DROP TRIGGER customers_load_after_tier ON customers_customer;
DROP FUNCTION customers_load_after_tier();
"""

CUT_OVER = """
-- `…_over` is never more than what the counts are above their limits, so it shrinks with them and makes no room.
CREATE FUNCTION customers_load_cut_over() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken integer := NEW.potential * NEW.potential_weight + NEW.gold * NEW.gold_weight
        + NEW.platinum * NEW.platinum_weight + NEW.diamond * NEW.diamond_weight;
BEGIN
    NEW.potential_over := least(NEW.potential_over, greatest(NEW.potential - NEW.potential_limit, 0));
    NEW.gold_over := least(NEW.gold_over, greatest(NEW.gold - NEW.gold_limit, 0));
    NEW.platinum_over := least(NEW.platinum_over, greatest(NEW.platinum - NEW.platinum_limit, 0));
    NEW.diamond_over := least(NEW.diamond_over, greatest(NEW.diamond - NEW.diamond_limit, 0));
    NEW.units_over := least(NEW.units_over, greatest(taken - NEW.capacity, 0));
    RETURN NEW;
END $$;

CREATE TRIGGER customers_load_cut_over BEFORE INSERT OR UPDATE ON customers_load
    FOR EACH ROW EXECUTE FUNCTION customers_load_cut_over();
"""

DROP_CUT_OVER = """
DROP TRIGGER customers_load_cut_over ON customers_load;
DROP FUNCTION customers_load_cut_over();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_asset_partitions")]

    operations = [
        migrations.RunSQL(LOAD_CLASS, DROP_LOAD_CLASS),
        *(
            migrations.RunSQL(
                FOLLOW_ASSIGNMENTS.format(operation=operation, changes=changes, tables=tables),
                DROP_FOLLOW_ASSIGNMENTS.format(operation=operation),
            )
            for operation, (changes, tables) in OPERATIONS.items()
        ),
        migrations.RunSQL(FOLLOW_TIER, DROP_FOLLOW_TIER),
        migrations.RunSQL(CUT_OVER, DROP_CUT_OVER),
    ]
