"""A msgspec struct as the documentation shows it: one home for a shape, which the validator reads too."""

import msgspec
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


def serializer_of(shape: type[msgspec.Struct], *, without: tuple[str, ...] = (), name: str = "") -> type:
    """Return a serializer class that describes a struct; it validates nothing.

    Args:
        without: fields that the address names.
        name: of the component; else that of the struct.
    """
    name = name or shape.__name__
    described = msgspec.json.schema(shape)["$defs"][shape.__name__]
    fields = {
        field: _field(schema, required=field in described.get("required", []))
        for field, schema in described["properties"].items()
        if field not in without
    }
    return type(f"{name}Serializer", (serializers.Serializer,), {"__doc__": shape.__doc__, **fields})


def _field(schema: dict, *, required: bool) -> serializers.Field:
    said = {name: value for name, value in schema.items() if name != "default" or value not in (None, "")}
    if not required and "anyOf" in said:
        one = next(part for part in said["anyOf"] if part != {"type": "null"})
        said = {**one, "type": [one["type"], "null"]} if "type" in one else said
    if "enum" in said:
        said.setdefault("type", "string")
    return extend_schema_field(said)(type("Described", (serializers.Field,), {}))(required=required)
