"""What a setup.py can be seen to do, without running it."""

from __future__ import annotations

import ast

#: Modules that a setup.py imports without compiling anything with them.
_HARMLESS = frozenset(
    {"__future__", "codecs", "io", "os", "pathlib", "re", "setuptools", "sys", "typing"}
)
#: Arguments of `setup()` that cannot lead to machine code.
_PLAIN = [
    "author",
    "author_email",
    "classifiers",
    "data_files",
    "description",
    "entry_points",
    "extras_require",
    "include_package_data",
    "install_requires",
    "keywords",
    "license",
    "long_description",
    "long_description_content_type",
    "maintainer",
    "maintainer_email",
    "name",
    "package_data",
    "package_dir",
    "packages",
    "project_urls",
    "py_modules",
    "python_requires",
    "scripts",
    "url",
    "version",
    "zip_safe",
]


def is_plain_setup(text: str) -> bool:
    """Return whether the setup.py `text` only calls `setup()`, without anything to compile.

    False if unsure: other imports, other arguments, a syntax error.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    calls = 0
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                if any(each.name.partition(".")[0] not in _HARMLESS for each in names):
                    return False
            case ast.ImportFrom(module=module):
                if (module or "").partition(".")[0] not in _HARMLESS:
                    return False
            case ast.Call(func=ast.Name(id="setup") | ast.Attribute(attr="setup")):
                calls += 1
                if node.args or any(each.arg not in _PLAIN for each in node.keywords):
                    return False
            case _:
                pass
    return calls == 1
