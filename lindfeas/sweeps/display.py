"""How far a sweep has come: a bar on standard error."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lindfeas.sweeps.sweep import Progress


class Display:
    """A bar on standard error, if that is a terminal, and what there is to say at the end."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[verdicts]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, rate="", verdicts="")
        self.errors: Counter[str] = Counter()
        self.state = "no point is done"

    def __enter__(self) -> Display:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bar as it is."""
        if not self._bar.disable:  # rich before 15 ends even a bar that is not shown with a line
            self._bar.stop()

    def report(self, progress: Progress) -> None:
        """Show one more point."""
        row = progress.row
        if row is None:
            # points of earlier runs are no measure of the speed
            self._bar.reset(self._task, total=progress.total, completed=progress.done)
        elif row.get("error") is not None:
            self.errors[row["error"]] += 1
        self.state = f"{progress.done} of {progress.total} points are done"
        elapsed = self._bar.tasks[0].elapsed or 0.0
        computed = progress.done - progress.reused
        self._bar.update(
            self._task,
            completed=progress.done,
            rate=f"{computed / elapsed:.1f}/s" if elapsed and computed else "",
            verdicts=", ".join(f"{n} {name}" for name, n in sorted(progress.verdicts.items())),
        )
