"""Regenerate types and model: `python tools/generate_types.py ../shared/data/fhir-r4-definitions`."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import print_types
from definitions import Definitions, load

FHIR = Path(__file__).resolve().parents[1] / "src" / "commonweal" / "fhir"


def main(folder: Path, fhir: Path) -> None:
    definitions = load(folder)
    model, types = fhir / "model", fhir / "types"
    _write(model / "hierarchy.json", _compact(definitions.hierarchy))
    _write(model / "codes.json", _compact(definitions.codes))
    _write(model / "elements.jsonl", _elements(definitions))
    _write(model / "invariants.jsonl", _invariants(definitions))
    for name, text in print_types.modules(definitions).items():
        _write(types / name, text)
    # settings are given here, not found: they would depend on where the files are written
    ours = ["--config", 'lint.isort.known-first-party=["commonweal"]']
    for tidy in (["format"], ["check", "--fix", "--select=I,F401", *ours]):
        ruff = [
            sys.executable,
            "-m",
            "ruff",
            *tidy,
            "--isolated",
            "--no-cache",
            "--quiet",
            "--line-length=110",
        ]
        subprocess.run([*ruff, types], check=True)


def _elements(definitions: Definitions) -> str:
    lines = []
    for path, shape in definitions.shapes.items():
        slots = [_trimmed(astuple(slot)) for slot in shape.slots]
        lines.append(f"{path}\t{_compact([shape.base, slots])}\n")
    return "".join(lines)


def _invariants(definitions: Definitions) -> str:
    return "".join(
        f"{path}\t{_compact([astuple(each) for each in shape.constraints])}\n"
        for path, shape in definitions.shapes.items()
        if shape.constraints
    )


def _trimmed(values: tuple[object, ...]) -> list[object]:
    """Without trailing defaults, which the reader puts back."""
    kept = list(values)
    while not kept[-1]:
        kept.pop()
    return kept


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else FHIR)
