"""Batches: every point of a grid, or the boundaries in it, in a table that grows while it runs."""
