#!/usr/bin/env bash
# The oldest versions that pyproject.toml promises: unit tests, and one build with each delegate.
# tests/lowest.sh FOLDER [PYTHON]   (FOLDER is made)
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
python=${2:-$(command -v python3)}
"$python" -m venv "$folder"
pip=("$folder/bin/python" -m pip --quiet --disable-pip-version-check)
"${pip[@]}" install . pytest hypothesis jsonschema
mapfile -t lowest < <("$folder/bin/python" tests/lowest.py pyproject.toml)
echo "with ${lowest[*]}"
"${pip[@]}" install "${lowest[@]}" wheel nanobind cmake ninja 'pathspec<0.13'
"$folder/bin/python" -m pytest -q -p no:cacheprovider tests/unit -k "not corpus and not fuzz and not faults"
for package in setuptools-c setuptools-cxx; do
    cp -rL "tests/packages/$package" "$folder/$package"
    VARIANTBUILD_CPU=v2 "${pip[@]}" install --no-build-isolation "$folder/$package"
done
cp -r example_project "$folder/example_project"
VARIANTBUILD_CPU=v2 "${pip[@]}" install --no-deps --no-build-isolation "$folder/example_project"
"$folder/bin/python" - <<'PY'
import whatami, whatami_cxx
from importlib.metadata import version
assert whatami.compiled_for()["level"] == whatami_cxx.compiled_for()["level"] == "v2"
assert version("vecsearch") == "0.1.0+v2", version("vecsearch")
PY
