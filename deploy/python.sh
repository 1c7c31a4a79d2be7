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
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
