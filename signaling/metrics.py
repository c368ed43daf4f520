"""What /metrics shows (Prometheus text format): counts by closed lists; no label has a name or number."""

from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from wephone.protocol.reasons import EndReason, ErrorCode

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class Metrics:
    """Counts of one server. Each has a registry of its own, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._errors = self._counter("errors", "Frames answered with an error.", "code")
        self._ended = self._counter("calls_ended", "Calls that ended.", "reason")
        self._forwarded = self._counter("calls_forwarded", "Times a call went on to somebody else.", "when")
        self._refused = self._counter("refusals", "Calls and texts that the gate refused.", "code")
        self._frames = self._counter("frames", "Frames received.", "type")
        self._outboxes = self._counter("outboxes_closed", "Connections cut off because they did not read.")
        self._sign_ins = self._counter("sign_ins", "Attempts to sign in.", "outcome")
        self._limited = self._counter("limited", "Requests that were told to wait.", "limit")
        self._requests = self._counter("requests", "HTTP requests.", "route", "status")
        self._seconds = Histogram(
            "wephone_request_seconds", "Time to answer HTTP.", registry=self.registry, buckets=SECONDS
        )
        self._withdrawn = self._counter(
            "calls_withdrawn", "Calls that ended because they were no longer permitted.", "code"
        )
        self._reviewed = self._counter("calls_reviewed", "Running calls decided again, as permits changed.")
        self._review_seconds = Histogram(
            "wephone_review_seconds",
            "Time to decide all running calls again.",
            registry=self.registry,
            buckets=SECONDS,
        )
        self._capped = self._counter("calls_capped", "Telephone calls refused by a cap.", "cap", "whose")
        self._sip = self._counter("sip_turned_away", "What SIP peers were not let in for.", "why")
        self._pushed = self._counter("pushes", "Devices that were to be woken.", "outcome")
        self._purged = self._counter("rows_purged", "Rows deleted because they were too old.", "kind")
        self._children: dict[tuple[str, str], Counter] = {}

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A gauge that is read when somebody looks."""
        Gauge(f"wephone_{name}", text, registry=self.registry).set_function(value)

    def watch_each(
        self, name: str, text: str, label: str, values: Iterable[str], value: Callable[[str], float]
    ) -> None:
        """The same for each member of a closed list, by a label that names it."""
        gauge = Gauge(f"wephone_{name}", text, (label,), registry=self.registry)
        for each in values:
            gauge.labels(each).set_function(partial(value, each))

    def error(self, code: ErrorCode) -> None:
        """A frame was answered with this error."""
        self._child(self._errors, code).inc()

    def call_ended(self, reason: EndReason) -> None:
        """A call ended."""
        self._child(self._ended, reason).inc()

    def call_forwarded(self, when: str) -> None:
        """A call went on to somebody else, by the rule for this case."""
        self._child(self._forwarded, when).inc()

    def refused(self, code: str) -> None:
        """The gate said no."""
        self._child(self._refused, code).inc()

    def call_withdrawn(self, code: str) -> None:
        """A call ended because its permit was lost."""
        self._child(self._withdrawn, code).inc()

    def reviewed(self, calls: int, seconds: float) -> None:
        """All running calls were decided again."""
        self._reviewed.inc(calls)
        self._review_seconds.observe(seconds)

    def capped(self, cap: str, whose: str) -> None:
        """A telephone call was refused by a cap of this account or trunk."""
        self._capped.labels(cap, whose).inc()

    def telephone_turned_away(self, why: str) -> None:
        """Something of a SIP peer was not let in, or had no room."""
        self._child(self._sip, why).inc()

    def frame_in(self, kind: str) -> None:
        """A frame that could be read."""
        self._child(self._frames, kind).inc()

    def outbox_closed(self) -> None:
        """A peer did not read and was cut off."""
        self._outboxes.inc()

    def signed_in(self, outcome: str) -> None:
        """Somebody tried: "right", "wrong" or "limited"."""
        self._sign_ins.labels(outcome).inc()

    def limited(self, limit: str) -> None:
        """Somebody was told to wait."""
        self._limited.labels(limit).inc()

    def request(self, route: str, status: int, seconds: float) -> None:
        """An HTTP request was answered. `route` is its pattern, never the path that was asked for."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.observe(seconds)

    def pushed(self, outcome: str) -> None:
        """A push service was asked: "taken", "gone", "refused", "unreachable", and before
        that perhaps "delayed"; or not: "dropped"."""
        self._pushed.labels(outcome).inc()

    def purged(self, kind: str, rows: int) -> None:
        """Retention deleted rows of this class."""
        self._purged.labels(kind).inc(rows)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"wephone_{name}", text, labels, registry=self.registry)

    def _child(self, counter: Counter, label: str) -> Counter:
        """The counter of one label, without prometheus_client's search for it at each frame."""
        key = (counter._name, label)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = counter.labels(label)
        return child
