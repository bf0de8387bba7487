#!/bin/sh
# Creates .venv with the first Python that is new enough; PYTHON=… chooses one.
set -eu

newest() {
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Commonweal needs Python 3.11 or later: install one, or name it with PYTHON=/path/to/python." >&2
    exit 1
}

python=$(newest)
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "This Python cannot make virtual environments: install python3-venv (Debian: apt-get install python3-venv)." >&2
    exit 1
fi
echo "· making .venv with $("$python" --version)"
"$python" -m venv .venv
