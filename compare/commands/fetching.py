"""Show the progress of a download."""

from typing import TextIO

from shared.data.download import DownloadProgress, OnProgress


def show_fetching(stream: TextIO) -> OnProgress:
    """Return a function that prints what is being fetched, and its progress in tenths."""
    shown: dict[str, int] = {}

    def show(step: DownloadProgress) -> None:
        tenths = min(10, step.done_bytes * 10 // step.total_bytes) if step.total_bytes > 0 else 0  # the server's total
        if shown.get(step.file) != tenths:
            shown[step.file] = tenths
            print(f"Fetching {step.file}: {tenths * 10} %", file=stream)

    return show
