"""What each member sets for himself: language, theme, single-key shortcuts."""

from staff.models import Staff


def keep(*, staff: Staff, **chosen) -> None:
    """Keep what a member chose; only those columns are written."""
    for name, value in chosen.items():
        setattr(staff, name, value)
    if chosen:
        staff.save(update_fields=list(chosen))
