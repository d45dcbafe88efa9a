"""The invented bank: who its customers are, how their money moves, and the rows that say so."""
