"""What the log of LaTeX says is wrong with a page."""

import re

#: Points by which a line or a page may be too long: less is not seen.
SLACK = {"h": 1.0, "v": 4.0}
OVERFULL = re.compile(r"^Overfull \\([hv])box \(([\d.]+)pt too")
FAULTS = re.compile(
    r"^(?:! .*"
    r"|.*Missing character: .*"
    r"|.*(?:Reference|Citation|Hyper reference) .* undefined.*"
    r"|.*Label .* multiply defined.*"
    r"|.*Font .* not found.*)$"
)


def faults(log: str) -> list[str]:
    """Errors, lost letters, dead links, and lines beyond the margin."""
    return [line for line in log.split("\n") if is_fault(line)]


def is_fault(line: str) -> bool:
    overfull = OVERFULL.match(line)
    if overfull:
        return float(overfull[2]) > SLACK[overfull[1]]
    return bool(FAULTS.match(line))
