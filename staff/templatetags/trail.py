"""`{% load trail %}`: words of the audit trail and of the night's run log."""

from django import template

from staff.trail_words import ACTIONS, FIGURES, OBJECTS, STEPS

register = template.Library()


@register.filter
def action_label(action):
    """What people call an action of the trail; its code where nobody has named it."""
    return ACTIONS.get(action, action)


@register.filter
def step_label(step):
    """What people call a step of the night."""
    return STEPS.get(step, step)


@register.filter
def object_label(object_type):
    """What people call a kind of object; its code where nobody has named it."""
    return OBJECTS.get(object_type, object_type)


@register.filter
def figure_label(name):
    """What people call a figure of an event; its name where nobody has translated it."""
    return FIGURES.get(name, name)
