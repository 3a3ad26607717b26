"""``python -m her2sim``."""

from her2sim.cli import main

if __name__ == "__main__":
    main(prog_name="her2sim")
