"""The record inside a wheel: valid, the same each time, free of private paths, compared."""

from __future__ import annotations

import json

import pytest

from binaries.elves import command_lines, elf, isa_note
from variantbuild.audit import audit_members
from variantbuild.errors import WheelError
from variantbuild.hooks.provenance import render_provenance
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.probe.facts import Absent, Compiler, Cpu, Distro, Found, HostFacts, Libc
from variantbuild.stamp.sbom import compare_provenance, parse_provenance
from variantbuild.variant import Variant

_GCC = Compiler(
    language="c", family="gcc", version="12.2.0", command=("/home/ann/bin/gcc",), target="x86_64-x"
)
_FACTS = HostFacts(
    system="Linux",
    machine="x86_64",
    cpu=Found(
        Cpu(family="x86_64", vendor="AuthenticAMD", features=frozenset(), level="v3"), "/proc"
    ),
    libc=Found(Libc(name="glibc", version=(2, 36)), "os"),
    distro=Found(Distro(id="debian", version_id="12"), "/etc/os-release"),
    compilers=(("c", Found(_GCC, "CC")), ("cxx", Absent("none"))),
)
_REPORT = audit_members(
    [("pkg/m.so", elf(note=isa_note(4), sections=command_lines("-march=x86-64-v3")))], name="m"
)


def _render(env: dict[str, str] | None = None) -> bytes:
    return render_provenance(
        name="pkg",
        version="1.0+v3",
        variant=Variant(arch="x86_64", cpu="v3"),
        flags=Flags(
            languages=("c",),
            c=("-march=x86-64-v3", "-specs=/home/ann/tmp/isa-note.specs", "-I/usr/include/x"),
            isa_note=IsaNote(level="v3"),
        ),
        compilers=(("c", _GCC),),
        facts=_FACTS,
        report=_REPORT,
        env=env,
    )


@pytest.mark.parametrize(
    ("name", "value", "recorded"),
    [
        ("CPATH", "/home/ann/inc:/usr/local/cuda/include", "inc:/usr/local/cuda/include"),
        ("CFLAGS", "-O3 -I/home/ann/x", "-O3 -Ix"),
        ("LD_PRELOAD", "/home/ann/libhook.so", "libhook.so"),
        ("GCC_EXEC_PREFIX", "/opt/gcc/lib/", "/opt/gcc/lib/"),
        ("COMPILER_PATH", "/usr/lib/own", "/usr/lib/own"),
        ("NVCC_APPEND_FLAGS", "-lineinfo", "-lineinfo"),
        ("NVCC_PREPEND_FLAGS", "-g", "-g"),
        ("LIBRARY_PATH", "/usr/lib/x", "/usr/lib/x"),
    ],
)
def test_variables_that_compilers_obey_are_recorded(name: str, value: str, recorded: str) -> None:
    properties = parse_provenance(_render({name: value, "HOME": "/home/ann", "CXXFLAGS": ""}))
    found = {key: text for key, text in properties.items() if ":environment:" in key}
    assert found == {f"variantbuild:probed:environment:{name}": recorded}


def test_same_bytes_each_time_and_nothing_private() -> None:
    assert _render() == _render()
    assert b"ann" not in _render()
    assert b"-specs=isa-note.specs -I/usr/include/x" in _render()


def test_each_property_says_how_it_is_known() -> None:
    properties = parse_provenance(_render())
    assert {key.split(":")[1] for key in properties} == {"declared", "probed", "audited"}
    assert properties["variantbuild:declared:variant"] == "v3"
    assert properties["variantbuild:probed:libc"] == "glibc 2.36"
    assert "-march=x86-64-v3" in properties["variantbuild:audited:file:pkg/m.so"]


def test_read_back_and_compared() -> None:
    recorded = parse_provenance(_render())
    assert list(compare_provenance(recorded, _REPORT)) == []
    other = audit_members([("pkg/m.so", elf(note=isa_note(8)))], name="m")
    [finding] = compare_provenance(recorded, other)
    assert finding.severity == "error"
    assert "pkg/m.so" in finding.message


def test_strict_schema() -> None:
    reason = "cyclonedx-python-lib[json-validation] is not installed"
    schema = pytest.importorskip("cyclonedx.schema", reason=reason)
    validation = pytest.importorskip("cyclonedx.validation.json", reason=reason)
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(_render().decode()) is None


@pytest.mark.parametrize("data", [b"", b"{}", b"[", b"\xff", json.dumps([1]).encode()])
def test_other_documents_are_refused(data: bytes) -> None:
    with pytest.raises(WheelError, match=r"variantbuild\.cdx\.json"):
        parse_provenance(data)
