#!/usr/bin/env bash
# The oldest versions that pyproject.toml promises: unit tests, and one build with each delegate.
# tests/lowest.sh DIRECTORY [PYTHON]   (DIRECTORY is made)
set -euo pipefail
cd "$(dirname "$0")/.."
directory=$1
python=${2:-$(command -v python3)}
"$python" -m venv "$directory"
pip=("$directory/bin/python" -m pip --quiet --disable-pip-version-check)
"${pip[@]}" install . pytest hypothesis jsonschema
mapfile -t lowest < <("$directory/bin/python" tests/lowest.py pyproject.toml)
echo "with ${lowest[*]}"
"${pip[@]}" install "${lowest[@]}" wheel nanobind cmake ninja 'pathspec<0.13'
"$directory/bin/python" -m pytest -q -p no:cacheprovider tests/unit -k "not corpus and not fuzz and not faults"
for package in setuptools-c setuptools-cxx; do
    cp -rL "tests/packages/$package" "$directory/$package"
    VARIANTBUILD_CPU=v2 "${pip[@]}" install --no-build-isolation "$directory/$package"
done
cp -r example_project "$directory/example_project"
VARIANTBUILD_CPU=v2 "${pip[@]}" install --no-deps --no-build-isolation "$directory/example_project"
"$directory/bin/python" - <<'PY'
import whatami, whatami_cxx
from importlib.metadata import version
assert whatami.compiled_for()["level"] == whatami_cxx.compiled_for()["level"] == "v2"
assert version("vecsearch") == "0.1.0+v2", version("vecsearch")
PY
