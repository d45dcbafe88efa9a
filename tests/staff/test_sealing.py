"""Encrypted columns: what is sealed can be read, what was changed can't, and keys can be rotated."""

import base64

import pytest
from cryptography.exceptions import InvalidTag
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from customers.models import Customer
from staff import rotation, sealing
from tests.factories import CustomerFactory

OLD = "k1:" + base64.b64encode(b"1" * 32).decode()
NEW = "k2:" + base64.b64encode(b"2" * 32).decode()


def test_a_sealed_text_can_be_read_again_and_never_looks_the_same():
    sealed = sealing.seal("13812346021")
    assert sealing.unseal(sealed) == "13812346021"
    assert sealed != sealing.seal("13812346021")
    assert b"13812346021" not in sealed
    assert (sealing.seal(""), sealing.unseal(b"")) == (b"", "")


def test_a_changed_value_is_refused():
    sealed = bytearray(sealing.seal("13812346021"))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        sealing.unseal(bytes(sealed))


def test_the_last_key_seals_and_every_key_reads(settings):
    settings.FIELD_KEYS = OLD
    before = sealing.seal("旧")
    index = sealing.blind_index("旧")
    settings.FIELD_KEYS = f"{OLD},{NEW}"
    after = sealing.seal("新")
    assert (sealing.key_id_of(before), sealing.key_id_of(after)) == ("k1", "k2")
    assert (sealing.unseal(before), sealing.unseal(after)) == ("旧", "新")
    assert sealing.blind_index("旧") == index


def test_a_key_that_is_none_is_refused(settings):
    settings.FIELD_KEYS = "k1:" + base64.b64encode(b"short").decode()
    with pytest.raises(ImproperlyConfigured):
        sealing.seal("x")


@pytest.mark.django_db
def test_the_database_never_sees_the_clear_text():
    customer = CustomerFactory(mobile="13812346021")
    assert Customer.objects.get(pk=customer.pk).mobile == "13812346021"
    with connection.cursor() as cursor:
        cursor.execute("SELECT mobile FROM customers_customer WHERE id = %s", [customer.pk])
        (stored,) = cursor.fetchone()
    assert b"13812346021" not in bytes(stored)
    assert sealing.unseal(bytes(stored)) == "13812346021"


def test_an_encrypted_column_cannot_be_searched():
    with pytest.raises(FieldError):
        Customer.objects.filter(mobile="13812346021")


@pytest.mark.django_db
def test_rotation_seals_everything_again_and_a_second_run_nothing(settings, capsys):
    settings.FIELD_KEYS = OLD
    before = [CustomerFactory(mobile=f"1381234{n:04}", id_no="430111199001011236" if n % 2 else "") for n in range(5)]
    settings.FIELD_KEYS = f"{OLD},{NEW}"
    newer = CustomerFactory(mobile="13900000000")

    call_command("rotate_keys")
    assert "Sealed 7 values again with the key k2" in capsys.readouterr().out
    assert rotation.rotate() == 0

    settings.FIELD_KEYS = NEW  # the old key is gone, and every value can still be read
    for n, customer in enumerate(before):
        customer.refresh_from_db()
        assert (customer.mobile, customer.id_no) == (f"1381234{n:04}", "430111199001011236" if n % 2 else "")
    newer.refresh_from_db()
    assert newer.mobile == "13900000000"


@pytest.mark.django_db
def test_rotation_goes_on_where_it_was_broken_off(settings, monkeypatch):
    settings.FIELD_KEYS = OLD
    for n in range(5):
        CustomerFactory(mobile=f"1381234{n:04}")
    settings.FIELD_KEYS = f"{OLD},{NEW}"
    monkeypatch.setattr(rotation, "BATCH", 2)
    columns = [column for column in rotation.sealed_columns() if column[1] == "mobile"]
    assert len(next(rotation._batches(*columns[0]))) == 2
    assert rotation.rotate() == 3
