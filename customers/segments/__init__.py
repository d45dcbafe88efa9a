"""Segments: rules over what is known of customers, who is in them, and what is done for them (domain.md §12)."""
