#!/bin/sh
# Install locked requirements into .venv: `install.sh PYTHON LOCK…`. By uv where it is on PATH, else by pip.
set -eu
python=$1
shift
requirements=""
for lock; do requirements="$requirements -r $lock"; done

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3 …" >&2
    exit 1
}
echo "Installing the locked requirements into .venv (a minute or two the first time) …"
if command -v uv >/dev/null; then
    [ -x .venv/bin/python ] || uv venv --quiet --python "$python" .venv
    # shellcheck disable=SC2086
    exec uv pip install --quiet --python .venv/bin/python --require-hashes $requirements
fi
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv
    "$python" -c 'import ensurepip, venv' 2>/dev/null || {
        echo "python3 cannot make virtual environments here: install Debian's python3-venv (apt-get install python3-venv), or uv." >&2
        exit 1
    }
    "$python" -m venv .venv
fi
# shellcheck disable=SC2086
exec .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes $requirements
