"""What a server counts, in the format of Prometheus."""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from prism_rec.serve.settings import METRICS

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """The figures of a worker, which are added up over the workers if there are several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "prism_rec_requests", "Requests by route and status", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "prism_rec_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=self.registry
        )
        self.together = Histogram(
            "prism_rec_batch_requests",
            "Requests that were answered in one pass of the model",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )
        self.version = Gauge(
            "prism_rec_model_version",
            "Version that is served",
            registry=self.registry,
            multiprocess_mode="min",
        )

    def text(self) -> bytes:
        """Return all figures."""
        if METRICS not in os.environ:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
