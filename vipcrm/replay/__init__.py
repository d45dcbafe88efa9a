"""The replay of a real bank: reading its files, and sending them through the API as its core system would."""
