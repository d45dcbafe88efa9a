"""The personal archive: its fields, and the verbs that write it."""
