"""`python -m lindfeas` is the command line."""

from lindfeas.cli import main

main()
