"""The question as a semidefinite program, with its rounding and its dual bounds."""
