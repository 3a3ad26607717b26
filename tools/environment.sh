#!/bin/sh
# Make a virtual environment and install into it: environment.sh PYTHON FOLDER PIP-ARGUMENTS...
# Uses uv where it is present, else python3 -m venv; says what to install where neither works.
set -eu
python=$1
folder=$2
shift 2

if ! command -v "$python" >/dev/null 2>&1; then
    echo "her2sim needs Python 3.11 or newer; '$python' was not found. Install python3, or name" >&2
    echo "another one: make PYTHON=python3.12 ..." >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "her2sim needs Python 3.11 or newer; '$python' is $("$python" -V 2>&1)." >&2
    echo "Name another one: make PYTHON=python3.12 ..." >&2
    exit 1
fi

if command -v uv >/dev/null 2>&1; then
    [ -x "$folder/bin/python" ] || uv venv --quiet --python "$python" "$folder"
    uv pip install --quiet --python "$folder/bin/python" "$@"
else
    if [ ! -x "$folder/bin/pip" ]; then
        rm -rf "$folder"
        if ! "$python" -m venv "$folder"; then
            rm -rf "$folder"
            echo "python3 -m venv does not work here. Install it (Debian, Ubuntu:" >&2
            echo "apt install python3-venv), or install uv, and run make again." >&2
            exit 1
        fi
    fi
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
fi
