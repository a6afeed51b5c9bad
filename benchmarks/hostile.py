"""Files that mean harm: what ``lindfeas verify`` takes for them, ``python -m benchmarks.hostile``.

Each is as large as a certificate may be, or asks for a check that would take hours. Only what reads
certificates is imported, because on Linux a child starts with its parent's peak memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.commands import COMMAND, ROOT

LARGEST = 16_000_000

CHAIN = ROOT / "results" / "xxz-1+2+1.certificate.json"
BOX = ROOT / "results" / "xxz-1+2+1-box.certificate.json"


def repeated(piece: bytes, before: bytes = b"[", after: bytes = b"0]") -> bytes:
    """As many pieces as fit."""
    count = (LARGEST - len(before) - len(after)) // len(piece)
    return before + piece * count + after


def _unique_keys() -> bytes:
    count = 1_499_000
    return b"{" + b",".join(b'"%x":1' % n for n in range(count)) + b"}"


def _repeated_key() -> bytes:
    return _unique_keys()[:-1] + b',"0":1}'


def _certificate(path: Path, change: Callable[[dict[str, Any]], None]) -> bytes:
    from lindfeas.checker.format import checksum

    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    content["sha256"] = checksum(content)
    return json.dumps(content, separators=(",", ":")).encode()


def _many_versions(content: dict[str, Any]) -> None:
    content["versions"] = {f"{n:x}": "" for n in range(700_000)}


def _large_hamiltonian(content: dict[str, Any]) -> None:
    entries = [[a, b, "0." + "3" * 200] for a in range(256) for b in range(a, 256)]
    content["problem"]["system"] = {"dimensions": [256], "charge": None, "hamiltonian": entries}
    content["problem"]["bath"] = [{**content["problem"]["bath"][0], "couplings": [[[0, 1, "1"]]]}]
    del content["problem"]["bath"][0]["operator"]


def _long_multiplier(content: dict[str, Any]) -> None:
    content["lower_bound"]["multiplier"] = ["0." + "1" * 1100] * 1024


def _cells(content: dict[str, Any], entries: int, number: str) -> None:
    cell = next(cell for cell in content["cells"] if "lower_bound" in cell)
    cell["lower_bound"]["multipliers"] = [[number] * 1024] * 16
    content["cells"] = [cell] * (entries // (16 * 1024))


def _many_numbers(content: dict[str, Any]) -> None:
    _cells(content, 1_400_000, "0.12345")


def _many_cells(content: dict[str, Any]) -> None:
    cell = next(cell for cell in content["cells"] if "lower_bound" in cell)
    content["cells"] = [{"split": content["box"][0]["key"]}] * 40_000 + [cell] * 20_000


def _open_cells(content: dict[str, Any]) -> None:
    content["cells"] = [{"split": "x"}, {"box": [["0", "1"]], "open": ""}] * 50_000


def _large_system(content: dict[str, Any]) -> None:
    content["problem"]["system"] |= {"sites": 8}
    bath = content["problem"]["bath"][0]
    content["problem"]["bath"] = [{**bath, "operator": "sigma_x"}]
    content["lower_bound"]["multiplier"] = ["0.5"] * 256


FILES: dict[str, Callable[[], bytes]] = {
    "one open string of escaped quotes": lambda: repeated(b'\\"', b'"', b""),
    "quotes": lambda: repeated(b'"', b"", b""),
    "few backslashes, open strings": lambda: repeated(b'"a":{"b', b"", b""),
    "empty strings": lambda: repeated(b'"",'),
    "short strings": lambda: repeated(b'"ab",', after=b'"ab"]'),
    "the most strings": lambda: b"[" + b'"abcdefg",' * 1_499_999 + b"0]",
    "empty tables": lambda: repeated(b"{},"),
    "the most small tables": lambda: b"[" + b'{"abcdef":1},' * 999_000 + b"0]",
    "the most small tables with keys of their own": lambda: (
        b"[" + b",".join(b'{"%06x":1}' % n for n in range(999_000)) + b"]"
    ),
    "the most small lists": lambda: b"[" + b"[12345678],[],[]," * 333_000 + b"0]",
    "deep lists": lambda: b"[" * 500_000 + b"]" * 500_000,
    "closing brackets": lambda: repeated(b"]", b"", b""),
    "one long string": lambda: repeated(b"a", b'"', b'"'),
    "one long string of four bytes each": lambda: repeated("𝄞".encode(), b'{"', b'":0}'),
    "escaped characters": lambda: repeated(b"\\u00e9", b'"', b'"'),
    "one long integer": lambda: repeated(b"9", b"", b""),
    "small integers": lambda: repeated(b"257,"),
    "small numbers": lambda: repeated(b"1e9,"),
    "white space": lambda: repeated(b" ", b"{", b"}"),
    "zero bytes": lambda: repeated(b"\0", b"", b""),
    "keys": _unique_keys,
    "keys, one of them twice": _repeated_key,
    "versions": lambda: _certificate(CHAIN, _many_versions),
    "a Hamiltonian of long numbers": lambda: _certificate(CHAIN, _large_hamiltonian),
    "a multiplier of long numbers": lambda: _certificate(CHAIN, _long_multiplier),
    "a box of many numbers": lambda: _certificate(BOX, _many_numbers),
    "a box of many cells": lambda: _certificate(BOX, _many_cells),
    "a box of open cells": lambda: _certificate(BOX, _open_cells),
    "256 levels without a charge": lambda: _certificate(CHAIN, _large_system),
}


def main() -> list[dict[str, Any]]:
    """For every file its size, and what its check took and said."""
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "hostile.json"
        for name in FILES:
            code = f"from benchmarks import hostile; hostile.write({name!r}, {str(file)!r})"
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
            rows.append({"file": name, "bytes": file.stat().st_size, **_checked(file)})
    return rows


def write(name: str, file: str) -> None:
    """Write one of the `FILES`."""
    Path(file).write_bytes(FILES[name]())


def _checked(file: Path) -> dict[str, Any]:
    started = time.perf_counter()
    command = [str(COMMAND), "verify", str(file)]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        lines = [line for line in said.read(10_000).splitlines() if line]
    unit = 1e-6 if sys.platform == "darwin" else 1.024e-3
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss * unit,
        "code": process.returncode,
        "said": lines[-1].replace(str(file), "FILE") if lines else "",
        "lines": len(lines),
    }


if __name__ == "__main__":
    print(json.dumps(main()))
