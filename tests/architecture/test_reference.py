"""The reference manual is fresh, and what is not is named."""

from pathlib import Path

from commonweal.boot import reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_manual_is_what_the_code_says() -> None:
    assert list(reference.stale(ROOT / "docs/reference")) == []


def test_what_is_changed_missing_or_left_over_is_named(tmp_path: Path) -> None:
    reference.write(tmp_path)
    (tmp_path / "errors.md").write_text("edited by hand", "utf-8")
    (tmp_path / "settings.md").unlink()
    (tmp_path / "old.md").write_text("left over", "utf-8")
    assert list(reference.stale(tmp_path)) == ["errors.md", "old.md", "settings.md"]
    reference.write(tmp_path)
    assert list(reference.stale(tmp_path)) == []
