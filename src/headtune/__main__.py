"""``python -m headtune`` is the command ``headtune``."""

from headtune.cli.app import main

main()
