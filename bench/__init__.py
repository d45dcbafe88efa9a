"""How long the product takes: pages, feed, night and the demo bank itself, at several sizes, in scratch databases."""
