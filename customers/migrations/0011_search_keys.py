"""A row beside each customer that the search looks names up in, kept by the database."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

GRAMS = """
CREATE FUNCTION customer_search_grams(name text, pinyin text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH syllables AS (
        SELECT syllable, lead(syllable) OVER (ORDER BY place) AS following
        FROM unnest(string_to_array(pinyin, ' ')) WITH ORDINALITY AS cut (syllable, place)
    )
    SELECT coalesce(array_agg(DISTINCT gram), '{}') FROM (
        SELECT 'n:' || substr(lower(name), at, width)
        FROM generate_series(1, char_length(name)) AS at, generate_series(1, 2) AS width
        WHERE at + width - 1 <= char_length(name)
        UNION ALL
        SELECT 'i:' || left(syllable, 1) FROM syllables WHERE syllable <> ''
        UNION ALL
        SELECT 'p:' || substr(syllable, at, 2) FROM syllables, generate_series(1, char_length(syllable) - 1) AS at
        UNION ALL
        SELECT 'p:' || substr(syllable, at, 1) || left(following, 1)
        FROM syllables, generate_series(1, char_length(syllable)) AS at WHERE following <> ''
    ) AS found (gram)
$$
"""

KEEP = """
CREATE FUNCTION customer_keep_search_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_searchkey (customer_id, grams)
    VALUES (NEW.id, customer_search_grams(NEW.name, NEW.pinyin))
    ON CONFLICT (customer_id) DO UPDATE SET grams = excluded.grams;
    RETURN NULL;
END $$
"""

TRIGGERS = """
CREATE TRIGGER customer_search_key_made AFTER INSERT ON customers_customer
    FOR EACH ROW EXECUTE FUNCTION customer_keep_search_key();
CREATE TRIGGER customer_search_key_kept AFTER UPDATE OF name, pinyin ON customers_customer
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.pinyin IS DISTINCT FROM NEW.pinyin)
    EXECUTE FUNCTION customer_keep_search_key();
"""

FILL = """
INSERT INTO customers_searchkey (customer_id, grams)
SELECT id, customer_search_grams(name, pinyin) FROM customers_customer ON CONFLICT DO NOTHING
"""

UNDO = """
DROP TRIGGER customer_search_key_made ON customers_customer;
DROP TRIGGER customer_search_key_kept ON customers_customer;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0010_rating_rules'),
        ('staff', '0007_jobs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchKey',
            fields=[
                ('customer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='search_key', serialize=False, to='customers.customer')),
                ('grams', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(condition=models.Q(('mobile_last4', ''), _negated=True), fields=['mobile_last4'], name='customer_by_mobile_end'),
        ),
        migrations.AddIndex(
            model_name='searchkey',
            index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['grams'], name='search_key_by_gram'),
        ),
        migrations.RunSQL(GRAMS, "DROP FUNCTION customer_search_grams(text, text)"),
        migrations.RunSQL(KEEP, "DROP FUNCTION customer_keep_search_key()"),
        migrations.RunSQL(TRIGGERS, UNDO),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
