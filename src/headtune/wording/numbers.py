"""How numbers are written in everything a person reads: sentence, tables, picture.

A few significant digits, thousands separated by commas, a space before the unit.
"""

__all__ = ["count", "duration", "interval", "p_value", "percent", "points", "rate", "size"]


def count(n: int, noun: str) -> str:
    """1, "text" -> ``1 text``; 1523, "text" -> ``1,523 texts``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def percent(share: float) -> str:
    """0.847 -> ``84.7 %``. Only 1 is shown as 100.0 %."""
    shown = f"{100 * share:.1f}"
    if shown == "100.0" and share < 1:
        shown = "99.9"
    return f"{shown} %"


def interval(low: float, high: float) -> str:
    """0.828, 0.864 -> ``82.8 to 86.4 %``."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def points(difference: float) -> str:
    """0.0541 -> ``5.4``, in percentage points; never ``-0.0``."""
    return f"{round(100 * difference, 1) + 0.0:.1f}"


def p_value(p: float) -> str:
    """0.0312 -> ``p = 0.031``; 0.00004 -> ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def duration(seconds: float) -> str:
    """2.34 -> ``2.3 s``; 75 -> ``1 min 15 s``; 7,500 -> ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def rate(per_second: float, unit: str) -> str:
    """33.24, "examples" -> ``33.2 examples/s``; 4.5e11, "FLOP" -> ``450 GFLOP/s``."""
    if unit != "FLOP":
        digits = 1 if per_second < 100 else 0
        return f"{per_second:,.{digits}f} {unit}/s"
    for prefix, size in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if per_second >= size:
            return f"{per_second / size:.3g} {prefix}FLOP/s"
    return f"{per_second:.3g} FLOP/s"


def size(n_bytes: float) -> str:
    """14_168_504 -> ``14.2 MB``: powers of ten, as disks are sold."""
    for prefix, unit in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if n_bytes >= unit:
            return f"{n_bytes / unit:,.1f} {prefix}B"
    return f"{n_bytes:,.0f} bytes"
