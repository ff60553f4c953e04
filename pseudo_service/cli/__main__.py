"""``python -m pseudo_service.cli``: the same as ``pseudo``."""

from pseudo_service.cli.main import main

main()
