"""`{% icon "phone" %}`: a Tabler outline icon of static/img/icons.svg; built in, no load needed."""

from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name, size="", label="") -> SafeString:
    """Draw an icon; `size` is "lg" or "nav", `label` is said aloud where the icon stands alone."""
    return _drawn(str(name), size, str(label))


@lru_cache(maxsize=2048)
def _drawn(name: str, size: str, label: str) -> SafeString:
    said = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    kind = f"icon icon--{size}" if size else "icon"
    return format_html('<svg class="{}" {}><use href="{}#{}"></use></svg>', kind, said, static("img/icons.svg"), name)
