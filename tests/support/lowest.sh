#!/bin/sh
# Run the suite with the oldest direct dependencies that pyproject.toml allows:
# lowest.sh PYTHON [PYTEST ARGUMENTS].
set -eu
python=$1
shift

PYTHON=$python sh tests/support/venv.sh .venv-lowest
lowest=.venv-lowest/bin/python
"$lowest" tests/support/lowest.py >.venv-lowest/constraints.txt
cat .venv-lowest/constraints.txt
"$lowest" -m pip --quiet install --constraint .venv-lowest/constraints.txt --editable . --group test
"$lowest" -m pytest "$@"
