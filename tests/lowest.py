"""Print the lowest version of each run-time requirement: `name==version`, one a line."""

from __future__ import annotations

import sys
from pathlib import Path

from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
for line in project["dependencies"]:
    requirement = Requirement(line)
    if requirement.marker is None or requirement.marker.evaluate():
        (bound,) = (each.version for each in requirement.specifier if each.operator == ">=")
        print(f"{requirement.name}=={bound}")
