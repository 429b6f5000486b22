"""`make bench`: prints what each hot path costs, and fails where that is above its limit.

The machine is noisy, and becomes faster and slower while this runs. So each block of requests
stands between two of the hello-world route, and what counts is the middle one of the ratios.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import httpx2
from msgspec import Struct

from tests.bench.load import Prepared, prepared, send_all
from tests.bench.processes import Worker, hello_world, service
from tests.bench.requests import Customers, reads
from tests.installers.keys import rsa_key

ROUNDS = 9
HELLOS = 1200
READS = 400
DRAFTS = 200  # in each round; one address may ask for three thousand in a minute
CLIENTS_WITH_NEW_KEYS = 16
MOST_MEBIBYTES = 110.0


class HotPath(Struct, frozen=True):
    name: str
    limit: float
    """In times of the hello-world route."""
    requests: Callable[[], Sequence[Prepared]]


class Cost(Struct, frozen=True):
    path: HotPath
    microseconds: float
    ratio: float


def hot_paths(customers: Customers) -> list[HotPath]:
    elliptic = customers.installer()
    rsa = customers.installer(rsa_key(2048, "PS256", use="sig"))
    return [
        HotPath("GET /v1/client, ES256", 7, lambda: reads(elliptic, READS)),
        HotPath("GET /v1/client, PS256", 7, lambda: reads(rsa, READS)),
        HotPath("POST /v1/client-drafts, EC", 6, lambda: customers.drafts(DRAFTS, rsa=False)),
        HotPath("POST /v1/client-drafts, RSA 2048", 7, lambda: customers.drafts(DRAFTS, rsa=True)),
        HotPath(
            "POST /v1/client-secret, EC",
            10,
            lambda: customers.new_keys(CLIENTS_WITH_NEW_KEYS, rsa=False),
        ),
        HotPath(
            "POST /v1/client-secret, RSA 2048",
            10,
            lambda: customers.new_keys(CLIENTS_WITH_NEW_KEYS, rsa=True),
        ),
    ]


def measured(hello: Worker, worker: Worker, paths: Sequence[HotPath]) -> Iterator[Cost]:
    hellos = [prepared("GET", f"{hello.base_url}/hello", {})] * HELLOS
    cost(hello, hellos)
    ratios: dict[str, list[float]] = {path.name: [] for path in paths}
    costs: dict[str, list[float]] = {path.name: [] for path in paths}
    for turn in range(ROUNDS + 1):
        for path in paths:
            requests = path.requests()
            before = cost(hello, hellos)
            its_own = cost(worker, requests)
            after = cost(hello, hellos)
            if turn:  # the first round warms up
                costs[path.name].append(its_own)
                ratios[path.name].append(its_own / ((before + after) / 2))
    for path in paths:
        yield Cost(path, median(costs[path.name]), median(ratios[path.name]))


def cost(worker: Worker, requests: Sequence[Prepared]) -> float:
    """Microseconds of the worker's CPU for one request."""
    began = worker.cpu_seconds()
    send_all(requests)
    return (worker.cpu_seconds() - began) / len(requests) * 1e6


def report(costs: Sequence[Cost], mebibytes: float) -> bool:
    """Print the table; whether everything is within its limit."""
    print(f"{'':34}{'µs CPU':>8}{'x hello':>9}{'limit':>7}")
    for one in costs:
        mark = "" if one.ratio <= one.path.limit else "  ABOVE ITS LIMIT"
        figures = f"{one.microseconds:8.0f}{one.ratio:9.1f}{one.path.limit:7.0f}"
        print(f"{one.path.name:34}{figures}{mark}")
    print(f"The worker holds {mebibytes:.0f} MiB; the limit is {MOST_MEBIBYTES:.0f}.")
    return mebibytes <= MOST_MEBIBYTES and all(one.ratio <= one.path.limit for one in costs)


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        httpx2.Client(trust_env=False, timeout=30) as http,
        hello_world() as hello,
        service(Path(folder) / "sandbox.log") as (ready, worker),
    ):
        costs = list(measured(hello, worker, hot_paths(Customers(ready, http))))
        return 0 if report(costs, worker.mebibytes()) else 1


if __name__ == "__main__":
    sys.exit(main())
