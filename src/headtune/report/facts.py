"""The small print of a report: data, calibration, model, speed, as short texts a person reads.

``facts_of`` gives them under their headings, in order, without those that have nothing to say; the
terminal prints them, and any other page can. Leaks are left to the top of a page (leaks.py).
"""

from collections.abc import Iterator, Mapping

from headtune.report.entries import Calibration, ModelFacts, Sets, Speed
from headtune.report.leaks import leak_sentence
from headtune.report.report import Report
from headtune.types import DataAccount, SetAside
from headtune.wording.numbers import count, duration, percent, rate, size

__all__ = ["MOST_LABELS", "facts_of"]

MOST_LABELS = 20
"""Labels listed; with more, a page shows those where there is something to find, or none."""


def facts_of(report: Report) -> dict[str, list[str]]:
    """Heading -> its facts, none empty."""
    facts = {
        "data": list(_data_facts(report.data)),
        "cut off": list(_truncation_facts(report.truncated)),
        "calibration": list(_calibration_facts(report.calibration)),
        "sets of labels": list(_set_facts(report.sets)),
        "suspect labels": list(_suspect_facts(report)),
        "model": list(_model_facts(report.model)),
        "speed": list(_speed_facts(report.speed)),
        "warning": [text for text in report.warnings if text != leak_sentence(report.data)],
    }
    return {heading: texts for heading, texts in facts.items() if texts}


def _data_facts(data: DataAccount) -> Iterator[str]:
    """Stage 1's summary: rows, what is odd about them, labels, parts."""
    if "rows_read" in data:
        counts = [count(data["rows_read"], "row") + " read"]
        counts += _set_aside(data.get("set_aside"))
        if data.get("repeats"):
            counts.append(f"{data['repeats']:,} repeating another")
        if data.get("near_repeats"):
            counts.append(f"{data['near_repeats']:,} nearly so")
        if data.get("conflicting_texts"):
            counts.append(f"{count(data['conflicting_texts'], 'text')} with different labels")
        if data.get("repeats_across_parts"):
            counts.append(f"{count(data['repeats_across_parts'], 'text')} in more than one part")
        yield ", ".join(counts)
    labels = data.get("labels", {})
    if 0 < len(labels) <= MOST_LABELS:
        yield ", ".join(f"{name} {n:,}" for name, n in labels.items())
    parts = data.get("parts", {})
    if parts:
        yield ", ".join(f"{name} {part['rows']:,}" for name, part in parts.items())


def _set_aside(set_aside: SetAside | None) -> list[str]:
    if not set_aside or not set_aside["count"]:
        return ["none set aside"]
    reasons = ", ".join(f"{reason}: {n:,}" for reason, n in set_aside["by_reason"].items())
    return [f"{set_aside['count']:,} set aside ({reasons})"]


def _truncation_facts(truncated: Mapping[str, int]) -> Iterator[str]:
    counts = {name: n for name, n in truncated.items() if n}
    if counts:
        each = ", ".join(f"{name} {n:,}" for name, n in counts.items())
        yield f"{count(sum(counts.values()), 'text')} longer than max_length ({each})"


def _calibration_facts(calibration: Calibration) -> Iterator[str]:
    """How far probabilities are from shares of right answers, and what the temperature did."""
    if not calibration:
        return
    fact = (
        f"expected calibration error {percent(calibration['after']['ece'])} on the "
        f"{calibration['measured_on']} part"
    )
    if calibration["fitted_on"] is not None:
        before = percent(calibration["before"]["ece"])
        fact += f", {before} before the temperature {calibration['temperature']:.2f}"
    yield fact


def _set_facts(sets: Sets) -> Iterator[str]:
    """How often sets hold the truth, how often they should, and how large they are."""
    if not sets:
        return
    figures = sets["figures"]
    yield (
        f"hold the true label in {percent(figures['coverage'])} of the {sets['part']} part "
        f"({percent(figures['wanted'])} asked for), {figures['mean_size']:.2f} labels a set"
    )


def _suspect_facts(report: Report) -> Iterator[str]:
    """How many labels look wrong, the most doubtful one, and where to look at the others."""
    checked = report.suspects_checked
    if not checked:
        return
    if not report.suspect_labels:
        yield f"none among {count(checked['rows'], 'row')} judged"
        return
    first, more = report.suspect_labels[0], checked["suspected"] > 1
    yield (
        f"{checked['suspected']:,} among {count(checked['rows'], 'row')} judged; "
        f"{'first ' if more else ''}row {first['row']:,} of {first['part']}: "
        f"{first['label']}, rather {first['suggested']}"
        + ("; more in report.json, under suspect_labels" if more else "")
    )


def _model_facts(model: ModelFacts) -> Iterator[str]:
    trained, total = model["trainable_parameters"], model["total_parameters"]
    share = percent(trained / total)
    yield f"{trained:,} of {total:,} parameters trained ({share}), on {model['device']}"
    yield from model["reasons"] or [model["dtype"]]


def _speed_facts(speed: Speed) -> Iterator[str]:
    """Rates that were measured, then the time of each stage."""
    rates = [
        rate(per_second, unit)
        for per_second, unit in (
            (speed["examples_per_second"], "examples"),
            (speed["tokens_per_second"], "tokens"),
            (speed["useful_flops_per_second"], "FLOP"),
        )
        if per_second  # None or 0: nothing was timed, as in a run resumed at its end
    ]
    if rates:
        if share := speed.get("share_of_matrix_rate"):
            rates[-1] += f" ({percent(share)} of the machine's)"
        elif speed.get("matrix_flops_per_second", 0) is None:
            rates[-1] += " (the machine's is not known: it was too busy to tell)"
        yield ", ".join(rates)
    run, reused = speed.get("frozen_texts_run"), speed.get("frozen_texts_reused")
    if run is not None and reused is not None:
        yield f"frozen layers: {count(run, 'text')} run, {reused:,} reused from the cache"
    if memory := speed.get("peak_memory_bytes"):
        yield f"{size(memory)} of memory at most"
    stages = speed["wall_seconds"]
    if stages:
        yield ", ".join(f"{name} {duration(seconds)}" for name, seconds in stages.items())
