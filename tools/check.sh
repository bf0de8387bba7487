#!/bin/sh
# Every check that needs no running platform; all of them speak before the verdict. One that ends with code 75 could not
# be made on this machine: it is NOT RUN, told again at the end, and neither passed nor failed.
set -u
PATH="$PWD/.venv/bin:$PATH"
failed="" not_run=""

check() {
    name=$1
    shift
    said=$("$@" 2>&1)
    case $? in
    0) echo "· $name: as it should be" ;;
    75)
        echo "· NOT RUN: $name: $said"
        not_run="$not_run $name;"
        ;;
    *)
        echo "· $name: NOT as it should be"
        echo "$said" | sed 's/^/    /'
        failed="$failed $name;"
        ;;
    esac
}

check "lint" ruff check --quiet .
check "format" ruff format --quiet --check --diff .
check "types" mypy --no-error-summary
check "contracts" lint-imports --no-logo
check "sizes" python tools/sizes.py
check "dependencies" python -m pip --disable-pip-version-check check
check "lock without addresses" python tools/frontend.py check
check "packages" python -m tools.packages local
check "known faults of packages" python -m tools.packages advisories
check "reference is fresh" commonweal docs --check
check "translations" python tools/messages.py

[ -z "$not_run" ] || echo "NOT RUN:$not_run"
[ -z "$failed" ] || { echo "Not as it should be:$failed" >&2; exit 1; }
