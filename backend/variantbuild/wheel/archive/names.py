"""Which names are allowed for members.

Source: PEP 427 and APPNOTE 4.4.17 (forward slashes, relative, no drive), and what front ends and
file systems cannot store: parts over 255 bytes, control characters, text that is not UTF-8.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from variantbuild.wheel.archive.zipformat import FLAG_UTF8
from variantbuild.wheel.unsound import UnsoundWheelError, shown

MAX_PART = 255
#: PATH_MAX of Linux without its NUL: a longer name cannot be installed anywhere.
MAX_NAME = 4095

#: Includes the line separators of Unicode, at which str.splitlines would split a row of RECORD.
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_SOUND = rf"(?:[^/\\{_CONTROL}]{{1,255}}/)*[^/\\{_CONTROL}]{{1,255}}/?"
_DRIVE = r"[A-Za-z]:"


def parse_member_name(raw: bytes, flags: int) -> str:
    """Decode the name `raw` of a header with general purpose `flags`.

    Raises UnsoundWheelError for names that installers might read in different ways, or write
    outside the target directory.
    """
    if raw.isascii():
        name = raw.decode("ascii")
    elif not flags & FLAG_UTF8:
        raise UnsoundWheelError(
            "its name is not ASCII, and the UTF-8 flag is not set", member=raw.decode("latin-1")
        )
    else:
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise UnsoundWheelError("its name is not UTF-8", member=raw.decode("latin-1")) from None
        if any(len(part.encode()) > MAX_PART for part in name.split("/")):
            raise UnsoundWheelError("a part of its name is over 255 bytes", member=name)
        if any(map(_is_invisible, name)):
            raise UnsoundWheelError("its name contains an invisible character", member=name)
    suspicious = name[:1] == "." or "/." in name or ":" in name or len(raw) > MAX_NAME
    if suspicious or re.fullmatch(_SOUND, name) is None:
        _check_parts(name)
    return name


def _is_invisible(character: str) -> bool:
    """Return whether a character is a format, private-use or unassigned one, which uv refuses."""
    import unicodedata

    category = unicodedata.category(character)
    return category in ("Cf", "Co") or ord(character) & 0xFFFE == 0xFFFE


def _check_parts(name: str) -> None:
    """Refuse a name that is suspicious, and accept one that is merely unusual."""
    parts = name[:-1].split("/") if name.endswith("/") else name.split("/")
    rules = (
        (not name, "its name is empty"),
        (re.search(f"[{_CONTROL}]", name), "its name contains a control character"),
        ("\\" in name, "its name contains a backslash"),
        (name.startswith("/"), "its name is absolute"),
        (re.match(_DRIVE, name), "its name begins with a drive letter"),
        (any(re.fullmatch(_DRIVE, part) for part in parts), "a part of its name is a drive letter"),
        (".." in parts, "its name contains '..'"),
        ("." in parts, "its name contains './'"),
        ("" in parts, "its name contains '//'"),
        (max(map(len, parts)) > MAX_PART, "a part of its name is over 255 bytes"),
        (len(name.encode()) > MAX_NAME, f"its name is longer than {MAX_NAME} bytes"),
    )
    for broken, reason in rules:
        if broken:
            raise UnsoundWheelError(reason, member=name)


def check_ascii_names(names: Sequence[str]) -> None:
    """Refuse the first of the ASCII `names` that `parse_member_name` would refuse.

    They are checked together, and one by one only if something is unusual.
    """
    if not names:
        return
    text = "\n" + "\n".join(names)
    unusual = (
        text.count("\n") != len(names)
        or not text.replace("\n", "").isprintable()
        or any(sign in text for sign in ("\\", ":", "//", "/.", "\n.", "\n/"))
        or max(map(len, names)) > MAX_PART
    )
    if unusual:
        for name in names:
            parse_member_name(name.encode("ascii"), 0)


def check_tree(names: Sequence[str]) -> None:
    """Refuse names that file systems may take for one another, and a file that is a directory too.

    Windows and macOS ignore case by default, Windows removes dots and spaces at the end of a part,
    and macOS does not tell the normal forms of Unicode apart. Source: "Naming Files" (Microsoft).
    """
    seen = set(names)
    if len(seen) != len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise UnsoundWheelError("it is in the archive twice", member=twice)
    folded = fold_names(names)
    # With a separator that is lower than every character, what is below a name comes right after.
    ordered = sorted((name.replace("/", "\0"), i) for i, name in enumerate(folded))
    for (name, i), (following, k) in pairwise(ordered):
        if following == name:
            first, second = sorted((i, k))
            raise UnsoundWheelError(
                f"file systems may take its name for {shown(names[first])}", member=names[second]
            )
        if name[-1:] != "\0" and following.startswith(name + "\0"):
            raise UnsoundWheelError(
                "it is a file, but other members need a directory of that name", member=names[i]
            )


def fold_names(names: Sequence[str]) -> list[str]:
    """Return `names`, which have no line breaks, as they are to the least precise file system."""
    text = "\n".join(names)
    if text.isascii():
        text = text.lower()
    else:
        import unicodedata

        decomposed = unicodedata.normalize("NFD", text)
        text = unicodedata.normalize("NFC", decomposed.casefold())
    if re.search(r"[. ](?=[/\n]|\Z)", text):
        text = re.sub(r"[. ]+(?=[/\n]|\Z)", "", text)
    return text.split("\n") if names else []
