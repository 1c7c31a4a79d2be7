#!/usr/bin/env bash
# Make a virtual environment with the locked packages: python.sh PYTHON VENV
set -euo pipefail
python=$1 venv=$2

install_system_packages() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "please install these packages first: $*" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

command -v "$python" >/dev/null || install_system_packages python3
"$python" -c 'import ensurepip, venv' 2>/dev/null || install_system_packages python3-venv
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; name one with make PYTHON=python3.12" >&2
    exit 1
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"

pip_install() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1"
}

# uv fetches and unpacks side by side, in a fraction of pip's time; where only pip is set up for the
# network (a mirror in its configuration), pip does it all. Packages are compiled, as pip does: where
# Python may not write its bytecode, each process would compile them at each start, 2 s of processor
only_uv=$(mktemp)
trap 'rm -f "$only_uv"' EXIT
awk '/^uv==/ { on = 1 } on { print } on && !/\\$/ { exit }' requirements.txt >"$only_uv"
pip_install "$only_uv"
"$venv/bin/uv" pip install --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes -r requirements.txt || {
    echo "uv could not install the packages; pip goes on" >&2
    pip_install requirements.txt
}
