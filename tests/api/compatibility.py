"""What may change between two versions of the API's description without breaking a client (docs/api.md, compatibility).

A client breaks when something it calls is gone, when more is asked of it, or when an answer no longer holds what it read.
"""

METHODS = {"get", "put", "post", "delete", "patch"}


def breaking(old: dict, new: dict) -> list[str]:
    """Return what would break a client of `old`, in words; empty where nothing would."""
    found = []
    for path, item in old["paths"].items():
        for method in METHODS & item.keys():
            there = new["paths"].get(path, {}).get(method)
            place = f"{method.upper()} {path}"
            if there is None:
                found.append(f"{place} is gone")
            else:
                found += _operation(place, item[method], there, old, new)
    return found


def _operation(place: str, old: dict, new: dict, old_api: dict, new_api: dict) -> list[str]:
    known = {(each["in"], each["name"]): each for each in old.get("parameters", [])}
    now = {(each["in"], each["name"]): each for each in new.get("parameters", [])}
    found = [f"{place}: parameter {name} is gone" for where, name in known.keys() - now.keys()]
    found += [
        f"{place}: parameter {key[1]} is asked for"
        for key, each in now.items()
        if each.get("required") and not known.get(key, {}).get("required")
    ]
    found += _scopes(place, old, new)
    if body := _schema(old.get("requestBody"), old_api):
        found += _asked(place, body, _schema(new.get("requestBody"), new_api), old_api, new_api)
    for code, answer in old["responses"].items():
        if code not in new["responses"]:
            found.append(f"{place}: answer {code} is gone")
        elif held := _schema(answer, old_api):
            found += _answered(f"{place} {code}", held, _schema(new["responses"][code], new_api), old_api, new_api)
    return found


def _scopes(place: str, old: dict, new: dict) -> list[str]:
    had = {scope for each in old.get("security", []) for scope in each.get("oauth2", [])}
    asked = {scope for each in new.get("security", []) for scope in each.get("oauth2", [])}
    return [f"{place}: scope {scope} is asked for" for scope in asked - had]


def _schema(part: dict | None, api: dict) -> dict:
    content = (part or {}).get("content", {})
    return _followed(next(iter(content.values()), {}).get("schema", {}), api)


def _followed(schema: dict, api: dict) -> dict:
    while "$ref" in schema:
        schema = api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _asked(place: str, old: dict, new: dict, old_api: dict, new_api: dict) -> list[str]:
    """A body may gain what can be left out; it may not lose a field or ask for one more."""
    found = [
        f"{place}: field {name} is no longer taken"
        for name in old.get("properties", {})
        if name not in new.get("properties", {})
    ]
    found += [
        f"{place}: field {name} is asked for" for name in set(new.get("required", [])) - set(old.get("required", []))
    ]
    return found + _inside(place, old, new, old_api, new_api, _asked)


def _answered(place: str, old: dict, new: dict, old_api: dict, new_api: dict) -> list[str]:
    """An answer may gain fields; it may not lose one, nor become another type."""
    found = [
        f"{place}: field {name} is gone" for name in old.get("properties", {}) if name not in new.get("properties", {})
    ]
    if old.get("type") != new.get("type"):
        found.append(f"{place} is now {new.get('type')}")
    return found + _inside(place, old, new, old_api, new_api, _answered)


def _inside(place, old, new, old_api, new_api, compare) -> list[str]:
    found = []
    for name, schema in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            inner = _followed(new["properties"][name], new_api)
            found += compare(f"{place}.{name}", _followed(schema, old_api), inner, old_api, new_api)
    if "items" in old and "items" in new:
        found += compare(
            f"{place}[]", _followed(old["items"], old_api), _followed(new["items"], new_api), old_api, new_api
        )
    return found
