"""`python -m bertkit`: the same as the command."""

from bertkit.cli import main

raise SystemExit(main())
