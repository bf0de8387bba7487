#!/bin/sh
# Writes the three locks anew: what runs, what develops, and Node for machines without one. No host and no path
# of this machine may end up in them.
set -eu
compile() {
    .venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --annotation-style=line "$@"
}
compile --build-deps-for=editable --output-file=requirements/run.lock pyproject.toml
compile --build-deps-for=editable --extra=dev --constraint=requirements/run.lock \
    --output-file=requirements/dev.lock pyproject.toml
compile --output-file=requirements/node.lock requirements/node.in
! grep -nE 'https?://|file:|^-' requirements/*.lock
