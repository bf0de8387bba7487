#!/bin/sh
# Every check that needs no running platform; all of them speak before the verdict.
set -u
PATH="$PWD/.venv/bin:$PATH"
failed=""

check() {
    name=$1
    shift
    if said=$("$@" 2>&1); then
        echo "· $name: as it should be"
    else
        echo "· $name: NOT as it should be"
        echo "$said" | sed 's/^/    /'
        failed="$failed $name;"
    fi
}

check "lint" ruff check --quiet .
check "format" ruff format --quiet --check --diff .
check "types" mypy --no-error-summary
check "contracts" lint-imports --no-logo
check "sizes" python tools/sizes.py
check "dependencies" python -m pip --disable-pip-version-check check
check "lock without addresses" python tools/frontend.py check
check "reference is fresh" commonweal docs --check
check "translations" python tools/messages.py

[ -z "$failed" ] || { echo "Not as it should be:$failed" >&2; exit 1; }
