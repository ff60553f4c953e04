# The one entry for whoever works on this code; `just` alone lists the recipes.
# `pip install -e '.[test,dev,docs]'` brings just itself. Each recipe calls a script
# that runs without just as well, so that CI and a desk do the same.

# List the recipes.
list:
    @just --list --unsorted

# Everything that must hold before a change lands, in the present environment.
check *STEPS:
    .ci/check {{STEPS}}

# Mend what can be mended by itself: lint and format.
fix:
    ruff check --fix .
    ruff format .

# All tests, or those that are named: `just test tests/spec`.
test *PATHS:
    python -m pytest {{PATHS}}

# The quick tests: units, treatments, properties, the shape of the code.
test-unit:
    python -m pytest tests/unit tests/spec tests/properties tests/architecture

# Generate pseudo_service/api/v1 from proto/.
proto:
    proto/generate.sh

# Build the site of the documents into build/site, strictly.
docs:
    PYTHONPATH=.:clients/python python docs/site/build.py --output build/site

# Write requirements.lock anew (needs uv); `just lock --upgrade` takes the newest.
lock *OPTIONS:
    .ci/lock {{OPTIONS}}

# What a release needs besides the checks: docs/release.md tells the steps.
release:
    .ci/release
