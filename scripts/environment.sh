#!/bin/sh
# Make the environment that `make demo` and `make test` run in, and install bertkit there if that is needed.
# It is the active virtual environment, or else .venv, made with $PYTHON or the first Python that fits.
set -eu
cd "$(dirname "$0")/.."

fail() { printf 'bertkit: %s\n' "$*" >&2; exit 1; }
fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }
version() { "$1" -c 'import sys; print("Python %d.%d" % sys.version_info[:2])' 2>/dev/null || echo "no Python"; }
wanted="wanted is Python 3.11, 3.12 or 3.13"

choose() {                       # the Python that .venv is made with
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || fail "PYTHON=$PYTHON is $(version "$PYTHON"), and $wanted; name one."
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.12 python3.13 python3.11 python; do
        if fits "$name"; then
            echo "$name"
            return
        fi
    done
    fail "Python 3.11, 3.12 or 3.13 was not found, and python3 here is $(version python3); install one of them, or" \
        "name it: make demo PYTHON=/path/to/python3.12"
}

make_venv() {
    own="$(choose)"
    "$own" -c 'import ensurepip, venv' 2>/dev/null || fail "$own has no module venv; install it (Debian, Ubuntu:" \
        "sudo apt install $("$own" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'))."
    echo "bertkit: making .venv with $(version "$own")"
    "$own" -m venv .venv || fail "$own could not make .venv, see above; remove .venv and try again."
}

environment="${VIRTUAL_ENV:-.venv}"
python="$environment/bin/python"
if [ -n "${VIRTUAL_ENV:-}" ]; then
    fits "$python" || fail "the active environment $environment has $(version "$python"), and $wanted; leave it by" \
        "\`deactivate\`, and .venv is made."
elif [ ! -e .venv ]; then
    make_venv
else
    fits "$python" || fail ".venv has $(version "$python"), and $wanted; remove .venv, and it is made anew."
fi
reason="$("$python" -c 'from bertkit import requirements; print(requirements.unsupported() or "")')"
[ -z "$reason" ] || fail "$reason"

# Installed once, and again when what is to be installed has changed.
state="$(pwd) $(cat setup.cfg setup.py pyproject.toml | cksum)"
if [ "$(cat "$environment/bertkit-installed" 2>/dev/null)" != "$state" ]; then
    if ! "$python" scripts/installed.py; then
        echo "bertkit: installing what setup.cfg names into $environment (3 GB, a minute or two)"
        "$python" -m pip install --quiet --disable-pip-version-check -e ".[test]" ||
            fail "installing failed, see above; with a network the same command again goes on."
    fi
    printf '%s\n' "$state" > "$environment/bertkit-installed"
fi
