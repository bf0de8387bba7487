"""Adds a service: copies tools/template under a new name; discovery finds it, nothing else is edited."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "tools/template"
NAME = re.compile(r"[a-z]+(-[a-z]+)*")


def create(name: str, services: Path) -> Path:
    """The folder of the new service (eye-care: `eye_care`); ValueError says why it cannot be made."""
    if not NAME.fullmatch(name):
        raise ValueError("Name it in small letters and hyphens: make new-service NAME=eye-care")
    folder = services / name.replace("-", "_")
    if folder.exists():
        raise ValueError(f"There is a service {folder.name} already.")
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [p for p in folder.rglob("*") if p.is_file()]:
        path.write_text(_renamed(path.read_text("utf-8"), name), "utf-8")
        path.rename(path.with_name(_renamed(path.name, name)))
    subprocess.run([Path(sys.executable).with_name("ruff"), "format", "--quiet", folder], check=True)
    return folder


def _renamed(text: str, name: str) -> str:
    """In each of its three spellings."""
    words = {
        "template_service": name.replace("-", "_"),
        "template-service": name,
        "Template service": name.replace("-", " ").capitalize(),
    }
    for old, new in words.items():
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    try:
        made = create(sys.argv[1], ROOT / "src/commonweal/services")
    except ValueError as error:
        sys.exit(str(error))
    print(f"{made.relative_to(ROOT)} is there. Say in its README.md what it is for, then write its rules.")
