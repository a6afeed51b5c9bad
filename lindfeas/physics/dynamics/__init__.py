"""Steady states, and how far states are apart."""
