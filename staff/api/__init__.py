"""What every door of the API rests on: who calls, what is read, how errors read, keys that make a repeat harmless."""
