"""The generated files are what the generator makes of the official definitions."""

import filecmp
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_generated_types_and_model_are_fresh(shared_data: Path, tmp_path: Path) -> None:
    for room in ("model", "types"):
        (tmp_path / room).mkdir()
    generator = [sys.executable, str(ROOT / "tools" / "generate_types.py")]
    subprocess.run([*generator, str(shared_data / "fhir-r4-definitions"), str(tmp_path)], check=True)
    for room in ("model", "types"):
        kept = ROOT / "src" / "commonweal" / "fhir" / room
        names = sorted(path.name for path in kept.iterdir() if path.is_file())
        assert names == sorted(path.name for path in (tmp_path / room).iterdir() if path.is_file())
        _, different, unread = filecmp.cmpfiles(kept, tmp_path / room, names, shallow=False)
        assert not different and not unread
