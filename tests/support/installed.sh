#!/bin/sh
# Install a wheel into an empty environment and run its demo: installed.sh PYTHON WHEEL.
# It happens in a directory of its own, with a home of its own, so that nothing of the checkout can
# help.
set -eu
python=$1
wheel=$2

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT TERM HUP
PYTHON=$python sh tests/support/venv.sh "$place/env"
"$place/env/bin/python" -m pip --quiet install "$wheel"
mkdir "$place/home" "$place/elsewhere"
cd "$place/elsewhere"
HOME="$place/home" "$place/env/bin/syncd" --version
HOME="$place/home" "$place/env/bin/syncd" demo </dev/null
