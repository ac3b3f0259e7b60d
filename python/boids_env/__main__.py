"""`python -m boids_env` is the command `boids`."""

import sys

from boids_env.cli import main

sys.exit(main())
