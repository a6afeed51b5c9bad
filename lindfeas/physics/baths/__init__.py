"""Spectral densities, occupations, and the transforms of bath correlation functions."""
