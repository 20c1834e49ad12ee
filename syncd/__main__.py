"""`python -m syncd`: the same as the command `syncd`."""

from syncd.cli import main

if __name__ == "__main__":
    main()
