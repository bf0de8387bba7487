"""Finds the browser that page tests drive, or installs Debian's where we may; says so when there is none."""

import os
import shutil
import subprocess

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-noto-cjk")
MINUTES = 8


def find() -> str | None:
    """The path of a Chromium on this machine."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def _reads_chinese() -> bool:
    if not shutil.which("fc-list"):
        return False
    said = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, timeout=60)
    return bool(said.stdout.strip())


def _install() -> None:
    print("· installing a browser and Chinese fonts for the tests of pages", flush=True)
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    options = ["-qq", "-y", "--no-install-recommends"]
    for command in (["update", "-qq"], ["install", *options, *PACKAGES]):
        subprocess.run(["apt-get", *command], check=True, timeout=MINUTES * 60, **quiet)


def main() -> None:
    """Never fails: tests without their browser are reported as NOT RUN."""
    if find() and _reads_chinese():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        try:
            _install()
        except (subprocess.SubprocessError, OSError) as error:
            print(f"· the browser could not be installed: {error}", flush=True)
    if not find():
        print("· no Chromium here, and only root can install one: tests of pages will be NOT RUN", flush=True)
    elif not _reads_chinese():
        print("· no Chinese font here: Chinese pages will show boxes", flush=True)


if __name__ == "__main__":
    main()
