"""Print the lowest version of each run-time requirement, and of the extra `terminal`, one a line.

For setuptools, the lowest version that the delegate accepts.
"""

from __future__ import annotations

import sys
from pathlib import Path

from packaging.requirements import Requirement

from variantbuild.delegate.backend import OLDEST_SETUPTOOLS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
for line in (*project["dependencies"], *project["optional-dependencies"]["terminal"]):
    requirement = Requirement(line)
    if requirement.marker is None or requirement.marker.evaluate():
        bounds = [each.version for each in requirement.specifier if each.operator == ">="]
        if requirement.name == "setuptools":
            bounds.append(str(OLDEST_SETUPTOOLS))
        (bound,) = bounds
        print(f"{requirement.name}=={bound}")
