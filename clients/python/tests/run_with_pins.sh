#!/usr/bin/env bash
# Installs the client's wheel beside the versions that Spark runtimes pin, and runs the
# client's own tests there; then beside the lowest versions that it promises, and beside
# the newest that there are. Environments are made anew; pip's cache makes them quick.
#
# With SERVICE_PYTHON, the interpreter of an environment with the whole project, each
# environment also de-identifies a table through a running service.
set -uo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
client="$(dirname "$here")"
root="$(cd "$client/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH

LARGEST_MEGABYTES=250 # of an environment with the client and what it needs
SLOWEST_IMPORT=1.6    # times what its libraries take alone, the best of ten of either:
                      # seconds say as much of the machine as of the client

runtime=(grpcio==1.67.0 protobuf==5.29.4 pyarrow==21.0.0 numpy==2.1.3 cryptography==44.0.1)
lowest=(grpcio==1.67.0 protobuf==5.27.2 pyarrow==14.0.1 numpy==1.26.4 cryptography==44.0.1)
later_protobufs=(6.33.0 7.36.2)
later_cryptography=47.0.0

failed=0
pythons=()

complain() {
  echo "FAILED: $1"
  failed=1
}

install() { # into the environment of a Python; an environment needs no pip of its own
  "$builder" -m pip --python "$1" install --quiet --disable-pip-version-check \
    --no-compile "${@:2}" 2> "$1.log" || { cat "$1.log"; return 1; }
}

find_python() { # a command that answers its version, not a shim that refuses
  local found
  for found in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
    if "$found" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" \
      2> /dev/null; then
      echo "$found"
      return
    fi
  done
}

make() { # a name, a Python, packages: an environment with them and the client
  "$2" -m venv --without-pip "$work/$1" \
    && install "$work/$1/bin/python" "$wheel" "${@:3}" && touch "$work/$1.made"
}

try() { # a name: the client's own tests in that environment
  local python="$work/$1/bin/python"
  [ -e "$work/$1.made" ] || { complain "$1: install"; return; }
  echo "-- $1: $("$builder" -m pip --python "$python" list --format=freeze 2> /dev/null \
    | grep -E '^(grpcio|protobuf|pyarrow|numpy|cryptography)==' | tr '\n' ' ')"
  run_tests "$python" || complain "$1: tests"
  pythons+=("$python")
}

run_tests() { # of the installed client: the tests lie in a folder without the package
  (cd "$work/alone" && "$1" -W error -m pytest -p no:cacheprovider)
}

try_over() { # a Python of above, a package: the same tests with that version instead
  local over="$work/over-$2"
  [ -e "$work/runtime-3.11.made" ] && install "$1" --no-deps --target "$over" "$2" \
    || { complain "$2: install"; return; }
  echo "-- and $2"
  (export PYTHONPATH="$over" && run_tests "$1") || complain "$2: tests"
}

measure() { # the environment with the client alone: how large, how slow to import
  local python="$work/newest/bin/python" megabytes seconds ratio
  [ -e "$work/newest.made" ] || { complain "newest: install"; return; }
  read -r seconds ratio <<< "$("$python" - << 'PYTHON'
import os, subprocess, sys

LIBRARIES = "import grpc, pyarrow, google.protobuf.timestamp_pb2"

def take(program: str) -> float:
    """Return the seconds of the processor that a whole process takes."""
    before = os.times()
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
    after = os.times()
    spent = after.children_user + after.children_system
    return spent - before.children_user - before.children_system

pair = ("import pseudo_client", LIBRARIES)
[take(program) for program in pair]  # writes the byte code
client, alone = map(min, zip(*(map(take, pair) for _ in range(10))))
print(f"{client:.3f} {client / alone:.2f}")
PYTHON
  )"
  [ -n "$ratio" ] || { complain "newest: import"; return; }
  megabytes="$(du -sm "$work/newest" | cut -f1)"
  echo "-- newest: $megabytes MB (of $LARGEST_MEGABYTES), import $seconds s of the processor:" \
    "$ratio times its libraries alone (of $SLOWEST_IMPORT)"
  [ "$megabytes" -le "$LARGEST_MEGABYTES" ] || complain "newest: larger than promised"
  awk "BEGIN { exit !($ratio <= $SLOWEST_IMPORT) }" || complain "newest: slow import"
  pythons+=("$python")
}

older="$(find_python 3.11)"
newer="$(find_python 3.12)"
builder="${older:-$newer}"
[ -n "$builder" ] || { echo "no Python 3.11 or 3.12 here: nothing is tried"; exit 1; }

# From a copy, so that the build leaves nothing in the tree.
mkdir "$work/source" "$work/alone"
cp -r "$client"/{pseudo_client,pyproject.toml,README.md,LICENSE} "$work/source"
cp -r "$here" "$work/alone/tests"
printf '[pytest]\ntestpaths = tests\npythonpath = tests\nfilterwarnings = error\n' \
  > "$work/alone/pytest.ini"
printf 'addopts = --strict-markers --strict-config -q --import-mode=importlib\n' \
  >> "$work/alone/pytest.ini"
"$builder" -m pip wheel --quiet --disable-pip-version-check --no-deps \
  --wheel-dir "$work" "$work/source" 2> "$work/wheel.log" \
  || { cat "$work/wheel.log"; exit 1; }
wheel="$(echo "$work"/pseudo_client-*.whl)"

[ -z "$older" ] || make runtime-3.11 "$older" pytest "${runtime[@]}" &
[ -z "$newer" ] || make runtime-3.12 "$newer" pytest "${runtime[@]}" &
[ -z "$older" ] || make lowest "$older" pytest "${lowest[@]}" &
make newest "$builder" &
wait

[ -n "$older" ] || complain "no Python 3.11 here: it is the one that is promised"
if [ -n "$older" ]; then
  try runtime-3.11
  for version in "${later_protobufs[@]}"; do
    try_over "$work/runtime-3.11/bin/python" "protobuf==$version"
  done
  try_over "$work/runtime-3.11/bin/python" "cryptography==$later_cryptography"
  try lowest
fi
if [ -n "$newer" ]; then
  try runtime-3.12
else
  echo "no Python 3.12 here: its runtimes are left out"
fi
measure

if [ -n "${SERVICE_PYTHON:-}" ]; then
  (cd "$root" && PYTHONPATH="$root:$client" \
    "$SERVICE_PYTHON" .ci/deidentify_elsewhere.py "${pythons[@]}") \
    || complain "a table through a running service"
else
  echo "no SERVICE_PYTHON: no table is sent through a service"
fi
exit "$failed"
