#!/bin/sh
# Make a fresh virtual environment with a pip of today: venv.sh DIRECTORY, with $PYTHON.
set -eu
directory=$1

fail() {
    echo "$*" >&2
    exit 1
}

command -v "$PYTHON" >/dev/null 2>&1 ||
    fail "there is no $PYTHON: apt-get install python3 python3-venv, or make PYTHON=/path/to/python3.11"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$PYTHON is $("$PYTHON" --version 2>&1), and syncd needs Python 3.11 or newer: make PYTHON=python3.11"

rm -rf "$directory"
echo "making $directory with $("$PYTHON" --version 2>&1)"
if "$PYTHON" -c 'import venv; from ensurepip import bootstrap' 2>/dev/null; then
    "$PYTHON" -m venv "$directory"
# Debian packs ensurepip apart; its own pip can furnish an environment as well.
elif "$PYTHON" -m pip --version >/dev/null 2>&1 && "$PYTHON" -m venv --without-pip "$directory" 2>/dev/null; then
    "$PYTHON" -m pip --quiet --python "$directory/bin/python" install pip
else
    fail "$PYTHON cannot make virtual environments: apt-get install python3-venv"
fi
"$directory/bin/python" -m pip --quiet install --upgrade 'pip>=25.1'  # knows dependency groups
