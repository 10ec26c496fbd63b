"""Stage 8: predictions and labels become evidence.

    baselines.py   what has to be beaten: the majority class, TF-IDF with logistic regression
    tfidf.py       the second of these
    evidence.py    gathers what follows for a report
    comparison.py  the tuned model against each of them, by paired tests
    mistakes.py    where it errs: labels, rows, lengths
    report.py      ``Report``, which checks itself, and report.json
    sentence.py    how the tuned model stands, in words; says when a difference may be chance
    leaks.py       what it begins with if test texts were trained on
    render.py      the report on a terminal
    facts.py       its small print: data, model, speed
    history.py     history.jsonl, what was logged while training
    curves.py      a picture of the history; imports matplotlib, so it is imported by those who draw
    files.py       how files are written

Metrics themselves are in ``headtune.tasks.metrics``, since training uses them too.
"""

from headtune.report.baselines import (
    Baseline,
    baseline_figures,
    measure_baselines,
)
from headtune.report.evidence import Measured, collect_evidence
from headtune.report.frozen_states import measure_linear_probe
from headtune.report.history import write_history
from headtune.report.leaks import leak_sentence
from headtune.report.render import render_report
from headtune.report.report import REPORT_FILE, Report, build_report

__all__ = [
    "REPORT_FILE",
    "Baseline",
    "Measured",
    "Report",
    "baseline_figures",
    "build_report",
    "collect_evidence",
    "leak_sentence",
    "measure_baselines",
    "measure_linear_probe",
    "render_report",
    "write_history",
]
