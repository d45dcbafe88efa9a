"""Numbers out of PostgreSQL as arrays, in the binary format of COPY: no row is ever a Python object."""

import io

import numpy as np
from django.db import connection

_HEAD = 19
"""Bytes before the first row: signature, flags, length of the (empty) extension."""


def read_columns(sql: str, params: dict, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Run a SELECT and return its named columns as float64 arrays; NULL is NaN.

    Keys stay exact up to 2**53. Dates must be turned into numbers by the SELECT (see `EPOCH_DAY`).
    """
    listed = ", ".join(f"coalesce(\"{name}\"::float8, 'NaN')" for name in names)
    with connection.cursor() as cursor:
        query = cursor.mogrify(sql, params).decode()
        stream = io.BytesIO()
        cursor.copy_expert(f"COPY (SELECT {listed} FROM ({query}) AS q) TO STDOUT (FORMAT binary)", stream)
    row = np.dtype([("fields", ">i2")] + [(f"{kind}{n}", code) for n in range(len(names)) for kind, code in _FIELD])
    body = stream.getbuffer()[_HEAD:-2]
    rows = np.frombuffer(body, dtype=row)
    return {name: rows[f"value{n}"].astype(np.float64) for n, name in enumerate(names)}


_FIELD = (("length", ">i4"), ("value", ">f8"))

EPOCH_DAY = "({} - date '0001-01-01' + 1)"
"""SQL of a date as the ordinal that `date.toordinal` gives."""
