"""What every test may ask for, and the count of those that could not run on this machine."""

import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from commonweal.boot.trial import Trial
from tools.browser import find

ROOT = Path(__file__).resolve().parent
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Open data beside the checkout; large official files are read from there and never shipped."""
    if not SHARED_DATA.is_dir():
        pytest.skip("NOT RUN: the open data folder is not beside this checkout")
    return SHARED_DATA


@pytest.fixture
def trial() -> Trial:
    """The platform with all its services, on an empty record in memory and with a clock set by hand."""
    return Trial()


@pytest.fixture
def visit(trial: Trial) -> Callable[..., Awaitable[httpx.Response]]:
    """A page of the trial, as `Trial.visit` gives it."""
    if not (ROOT / "src/commonweal/web/static/built/manifest.json").is_file():
        pytest.skip("NOT RUN: the pages are not built (make setup)")
    return trial.visit


@pytest.fixture(scope="module")
def reachable() -> Iterator[Path]:
    """A folder that the database's own account can enter, also when the tests run as root; pytest's is not."""
    folder = Path(tempfile.mkdtemp(prefix="commonweal-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser that journeys drive."""
    path = find()
    if path is None:
        pytest.skip("NOT RUN: there is no Chromium on this machine")
    return path


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, to be run in a page for its accessibility case."""
    script = ROOT / "node_modules/axe-core/axe.min.js"
    if not script.is_file():
        pytest.skip("NOT RUN: the npm packages are not installed (make setup)")
    return script.read_text("utf-8")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`test_may_give(row)` runs for each line of `may_give.table` beside it, which the manual prints too."""
    if "row" in metafunc.fixturenames:
        name = metafunc.function.__name__.removeprefix("test_")
        rows = list(_rows(Path(metafunc.module.__file__ or "").with_name(f"{name}.table")))
        metafunc.parametrize("row", rows, ids=[next(iter(row.values())) for row in rows])


def _rows(table: Path) -> Iterator[dict[str, str]]:
    lines = [line for line in table.read_text("utf-8").splitlines() if line.strip() and line[0] != "#"]
    heads, *body = ([cell.strip() for cell in line.split("|")] for line in lines)
    for cells in body:
        yield dict(zip(heads, cells, strict=True))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI everything must run: a skipped test fails the run there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped") and os.environ.get("CI") == "true" and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List by reason what was NOT RUN."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", ()):
        reason = report.longrepr[2].removeprefix("Skipped: ").removeprefix("NOT RUN: ")
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        terminalreporter.section(f"NOT RUN: {sum(reasons.values())}")
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count} × {reason}")
