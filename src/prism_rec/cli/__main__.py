"""`python -m prism_rec.cli`, which is `prism-rec`; this is how `torchrun` starts it."""

from prism_rec.cli.app import main

if __name__ == "__main__":
    main()
