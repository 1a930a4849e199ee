"""`variantbuild plan`: what would be built, after probing the machine and trying the flags."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from pathlib import Path

from variantbuild.bundle.asked import resolve_levels
from variantbuild.cli.deviceview import plan_json, plan_lines, plan_rows
from variantbuild.cli.options import add_settings_options, check_targets, config_settings_of
from variantbuild.cli.terminal import paint, paragraph, print_json, report_message, table
from variantbuild.config.delegatespec import resolve_delegate
from variantbuild.config.project import load_project
from variantbuild.frontend.naming import front_ends, resolve_naming
from variantbuild.frontend.situation import detect_situation, read_traces
from variantbuild.host.local import LocalHost
from variantbuild.plan import BuildPlan, plan_build
from variantbuild.probe.machinenames import machine_names
from variantbuild.tags.forms import name_platforms
from variantbuild.types import JSONValue


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `plan`."""
    parser.description = (
        "Show what would be built: variant, flags, names. Nothing is built, but each compiler that "
        "the sources need compiles a small probe in a temporary directory, to see whether it "
        "accepts its flags; the commands are listed."
    )
    parser.add_argument("source", nargs="?", default=".", metavar="SRC", help="source tree (.)")
    parser.add_argument("--target", metavar="T", help="the variant, such as v3 or fc39.v3")
    add_settings_options(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Compute the plan for the source tree and print it."""
    check_targets([] if args.target is None else [args.target])
    source = Path(args.source).resolve()
    host = LocalHost(env=env, source=source)
    machine = machine_names(host)
    project = load_project(source, config_settings_of(args), env, machine=machine)
    situation = detect_situation(read_traces(host, source, is_sdist=project.is_sdist))
    plan = plan_build(project, resolve_delegate(project), host, situation, preview=True)
    for message in plan.messages:
        report_message(message, "warning")
    if project.config.bundle:
        report_message(_bundle_note(plan))
    payload = describe_plan(plan, env)
    if args.json:
        print_json(payload)
    else:
        print(_for_people(plan, env))
    return 0


def _bundle_note(plan: BuildPlan) -> str:
    """Return what the setting `bundle` changes: the plan is that of one wheel."""
    asked = resolve_levels(plan.project.config, plan.platform)
    if not asked.labels:
        return f"not a bundle: {asked.reason}"
    return (
        f"a bundle of {', '.join(asked.labels)} is built, with a plain version and plain tags; "
        "this is the plan without it, and --target shows that of one level"
    )


def describe_plan(plan: BuildPlan, env: Mapping[str, str]) -> dict[str, JSONValue]:
    """Return the plan as the value of plan.schema.json; `env` is the user's environment."""
    return {
        "version": 1,
        "source": str(plan.project.path),
        "delegate": {"backend": plan.delegate.backend, "origin": plan.delegate.origin},
        "variant": _variant_json(plan),
        "flags": {
            "c": list(plan.flags.c),
            "cxx": list(plan.flags.cxx),
            "fortran": list(plan.flags.fortran),
            "rust": [] if plan.flags.rust is None else list(plan.flags.rust.compile),
            "link": list(plan.flags.link),
        },
        "accelerator": plan_json(plan, env),
        "trial": {
            "commands": [] if plan.trial is None else [list(each) for each in plan.trial.commands]
        },
        "guard": {"level": plan.flags.isa_note.level, "unguarded": plan.flags.isa_note.unprotected},
        "compilers": [
            {
                "language": language,
                "family": compiler.family,
                "version": compiler.version,
                "command": list(compiler.command),
            }
            for language, compiler in plan.compilers
        ],
        "overrides": [override.place for override in plan.project.config.overrides],
        "messages": list(plan.messages),
        "names": _names(plan),
    }


def _variant_json(plan: BuildPlan) -> dict[str, JSONValue]:
    variant = plan.variant
    return {
        "label": str(variant),
        "arch": variant.arch,
        "cpu": variant.cpu,
        "distro": None if variant.distro is None else str(variant.distro),
        "local_version": variant.local_version,
        "platform_suffix": variant.platform_suffix,
        "baseline": variant.is_baseline,
        "reason": plan.choice.reason,
    }


def _names(plan: BuildPlan) -> list[JSONValue]:
    """Return the version and file name that each front end would get, and why."""
    rows: list[JSONValue] = []
    name, version, tag, platform = _plain_name(plan)
    variant = plan.variant
    for kind, front_end in front_ends().items():
        protected = plan.flags.isa_note.unprotected is None
        naming = resolve_naming(kind, plan.project.config, protected=protected)
        local = variant.local_version if naming.local else None
        in_file, in_wheel = name_platforms(
            naming.form, variant.platform_suffix, [platform], [platform]
        )
        full = version + (f"+{local}" if local else "")
        rows.append(
            {
                "front_end": front_end,
                "current": kind == plan.situation.kind,
                "version": full,
                "file_name": f"{name}-{full}-{tag}-{'.'.join(in_file)}.whl",
                "wheel_platforms": list(in_wheel),
                "why": naming.reason,
            }
        )
    return rows


def _plain_name(plan: BuildPlan) -> tuple[str, str, str, str]:
    """Guess name, version, Python tag and platform; the delegate decides."""
    import re

    from packaging.tags import interpreter_name, interpreter_version

    declared = plan.project.pyproject.get("project")
    metadata: Mapping[str, object] = declared if isinstance(declared, Mapping) else {}
    name = re.sub(r"[-_.]+", "_", str(metadata.get("name", plan.project.path.name))).lower()
    python = f"{interpreter_name()}{interpreter_version()}"
    platform = re.sub(r"[-.]", "_", plan.platform)
    return name, str(metadata.get("version", "VERSION")), f"{python}-{python}", platform


def _for_people(plan: BuildPlan, env: Mapping[str, str]) -> str:
    variant, flags = plan.variant, plan.flags
    label = "the baseline: nothing is stamped" if variant.is_baseline else str(variant)
    unprotected = flags.isa_note.unprotected
    if variant.is_baseline:
        protected = "not needed"
    elif unprotected is None:
        protected = f"a CPU below {flags.isa_note.level} raises ImportError (ISA note)"
    else:
        protected = f"not protected: {unprotected}"
    rows = [
        ("variant", f"{paint(label, 'bold')}  ({_cpu_reason(plan)})"),
        ("delegate", f"{plan.delegate.backend}  ({plan.delegate.origin})"),
        *(
            (
                language,
                f"{' '.join(flags.of(language)) or 'nothing'}  ({_compiler(plan, language)})",
            )
            for language in flags.languages
        ),
        *([("rust", " ".join(flags.rust.compile) or "nothing")] if flags.rust else []),
        *([("link", " ".join(flags.link))] if flags.link else []),
        *plan_rows(plan),
        ("ISA note", protected),
        *_trial_rows(plan),
        *(("override", str(override)) for override in plan.project.config.overrides),
    ]
    lines = [*plan_lines(plan, env), "", paint("what each front end gets", "bold")]
    for row in _names(plan):
        assert isinstance(row, dict)
        lines.append(f"  {row['front_end']}{'  <- this one' if row['current'] else ''}")
        lines.append(f"    {row['file_name']}")
        lines.append(f"    {paint(str(row['why']), 'dim')}")
    return "\n".join((table(rows), *map(paragraph, lines)))


def _cpu_reason(plan: BuildPlan) -> str:
    """Return why the CPU was chosen; the accelerator has a row of its own."""
    if plan.devices is None:
        return plan.choice.reason
    return plan.choice.reason.removesuffix(f"; {plan.devices.reason}")


def _trial_rows(plan: BuildPlan) -> list[tuple[str, str]]:
    """Return the commands of the trial compilation, which `plan` has run."""
    commands = () if plan.trial is None else plan.trial.commands
    return [("trial compilation", shlex.join(command)) for command in commands]


def _compiler(plan: BuildPlan, language: str) -> str:
    compiler = next(found for name, found in plan.compilers if name == language)
    return f"{compiler.family} {compiler.version}, {' '.join(compiler.command)}"
