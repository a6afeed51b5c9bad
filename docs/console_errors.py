"""What a browser complains about: ``python docs/console_errors.py docs/_build/html``.

Opens every page in headless Chromium (``apt-get install chromium``) without a network, and prints
the messages of its console, one line each.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

MESSAGE = re.compile(r"CONSOLE[^\]]*\] (.*)")

SECONDS = 60
"""For one page."""


def messages(browser: str, page: Path) -> list[str]:
    """The console's messages about one page."""
    command = [
        browser,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
    ]
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=2000", "--dump-dom"]
    opened = subprocess.run(
        [*command, *offline, page.resolve().as_uri()],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    if "</html>" not in opened.stdout:
        return ["must be shown as a page, but is not"]
    return MESSAGE.findall(opened.stderr)


def main(arguments: list[str]) -> int:
    """0 if no page has a message, 2 without a browser."""
    (folder,) = map(Path, arguments)
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("error: chromium must be on the PATH, but is not", file=sys.stderr)
        return 2
    pages = sorted(folder.rglob("*.html"))
    found = [
        f"{page.relative_to(folder)}: {text}" for page in pages for text in messages(browser, page)
    ]
    print("\n".join(found) or f"{len(pages)} pages, no message in the console")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
