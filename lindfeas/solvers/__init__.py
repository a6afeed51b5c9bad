"""Who solves a program, one file each; nobody trusts their numbers."""
