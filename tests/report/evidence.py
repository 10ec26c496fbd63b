"""Everything that ``report.json`` may hold besides what every report has, for pages to show."""

from typing import Any

SCRIPT = '<script>alert(1)</script> & "quoted" <b>bold</b>'
"""A message as an enemy would write it."""


def bins(shift: float) -> list[dict[str, Any]]:
    """Ten bins of confidence, the lower half empty; ``shift`` says how far it is too sure."""
    return [
        {
            "low": low / 10,
            "high": (low + 1) / 10,
            "n": 0 if low < 5 else 40 * low,
            "confidence": None if low < 5 else low / 10 + 0.05,
            "accuracy": None if low < 5 else low / 10 + 0.05 - shift,
        }
        for low in range(10)
    ]


EVIDENCE: dict[str, Any] = {
    "comparison": [
        {
            "baseline": name,
            "part": "test",
            "n": 1000,
            "difference": difference,
            "interval": [difference - 0.02, difference + 0.02],
            "p_value": p,
            "only_model_right": 50,
            "only_baseline_right": 17,
        }
        for name, difference, p in (
            ("majority", 0.118, 1e-12),
            ("tfidf", 0.033, 0.00004),
            ("linear_probe", -0.004, 0.48),
            ("before", 0.678, 0.0),
        )
    ],
    "calibration": {
        "temperature": 1.8342,
        "fitted_on": "validation",
        "measured_on": "test",
        "n": 1000,
        "before": {"ece": 0.0812, "bins": bins(0.12)},
        "after": {"ece": 0.0114, "bins": bins(0.01)},
    },
    "abstain": {
        "below": 0.8,
        "coverage": 0.912,
        "accuracy": 0.997,
        "curve": [
            {
                "below": below / 100,
                "coverage": 1 - (below - 50) / 150,
                "accuracy": 0.988 + below / 1e4,
            }
            for below in range(50, 100, 5)
        ]
        + [{"below": 1.0, "coverage": 0.0, "accuracy": None}],
    },
    "thresholds": {"ham": 0.5, "spam": 0.83},
    "suspect_labels": [
        {
            "row": 100 + number,
            "part": ("train", "validation", "test")[number % 3],
            "text": SCRIPT if number == 0 else f"a doubtful text, number {number}",
            "label": "ham",
            "suggested": "spam",
            "probability": 0.99 - number / 1000,
        }
        for number in range(30)
    ],
    "mistakes": [
        {
            "row": 1000 + number,
            "text": SCRIPT if number == 0 else "a word " * (number + 1) + "x" * 100,
            "label": "spam",
            "predicted": "ham",
            "probability": 0.999 - number / 100,
        }
        for number in range(50)
    ],
    "lengths": [
        {"low": 2 + 10 * k, "high": 11 + 10 * k, "n": 120 + k, "errors": k * k} for k in range(8)
    ],
}
