"""Customers, holdings and archives from a file of the branch: read apart, checked row by row, applied whole, undone."""
