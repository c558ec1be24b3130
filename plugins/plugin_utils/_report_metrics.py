# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Export the metrics of a run: make them from a snapshot, and hand them over."""

from __future__ import annotations

import bisect
import time
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import missing_packages
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_catalogue import CATALOGUE, GAUGE, Metric
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_of_run import snapshot_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_push import push, write_textfile
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import Snapshot
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

if t.TYPE_CHECKING:
    import prometheus_client
    from prometheus_client.registry import Collector

# As the Go library writes them; Python's would write 1.0, and a dashboard that asks for le="1" would find nothing.
BUCKETS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
_LIMITS = [float(bucket) for bucket in BUCKETS]

Series = t.Iterator[tuple[str, dict[str, str], float]]


def export(state: State | None, collected: Collected, settings: ReportSettings) -> str:
    """Write the metrics to the text file and push them to the Pushgateway, whichever is set.

    Gives the problems in one or more sentences without secrets, "" when there are none.
    """
    if not (settings.textfile or settings.pushgateway):
        return ""
    needed = ["prometheus_client", "sqlalchemy", *(["requests"] if settings.pushgateway else [])]
    if missing := missing_packages(needed):
        return f"The metrics were not exported. {' '.join(missing)}"
    found, problem = snapshot_of(state, collected, time.time())
    registry = render(found)
    problems = [problem]
    if settings.textfile:
        problems.append(write_textfile(registry, settings.textfile))
    if settings.pushgateway:
        problems.append(push(registry, settings))
    return " ".join(filter(None, problems))


def render(snapshot: Snapshot) -> prometheus_client.CollectorRegistry:
    """Give a registry that holds the snapshot's metrics and nothing else."""
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry(auto_describe=False)
    registry.register(t.cast("Collector", _Collector(snapshot)))
    return registry


class _Collector:
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> t.Iterator[prometheus_client.Metric]:
        from prometheus_client import Metric as Family
        from prometheus_client.samples import Sample

        for metric in CATALOGUE:
            values = _gauges(metric, self._snapshot) if metric.kind == GAUGE else _histograms(metric, self._snapshot)
            if values is None:
                continue
            family = Family(metric.name, metric.help, metric.kind)
            # One after the other, and never a list: for thousands of nodes it would take tens of megabytes.
            family.samples = t.cast("list[Sample]", (Sample(*value) for value in values))
            yield family


def _gauges(metric: Metric, snapshot: Snapshot) -> Series | None:
    values: dict[tuple[str, ...], float] = {}
    for names, value in metric.take(snapshot):
        labels = tuple(map(text, names))
        values[labels] = metric.merge(values[labels], value) if labels in values else value
    if not values:
        return None
    return (
        (metric.name, dict(zip(metric.labels, labels, strict=True)), value) for labels, value in sorted(values.items())
    )


def _histograms(metric: Metric, snapshot: Snapshot) -> Series | None:
    observations: dict[tuple[str, ...], list[float]] = {} if metric.labels else {(): []}
    for names, value in metric.take(snapshot):
        observations.setdefault(tuple(map(text, names)), []).append(value)
    return _buckets(metric, observations) if observations else None


def _buckets(metric: Metric, observations: t.Mapping[tuple[str, ...], list[float]]) -> Series:
    for values, seen in sorted(observations.items()):
        labels = dict(zip(metric.labels, values, strict=True))
        seen.sort()
        for bucket, limit in zip(BUCKETS, _LIMITS, strict=True):
            yield f"{metric.name}_bucket", {**labels, "le": bucket}, bisect.bisect_right(seen, limit)
        yield f"{metric.name}_sum", labels, sum(seen)
        yield f"{metric.name}_count", labels, len(seen)
