"""`make bench`: prints what each hot path costs, and fails where that is above its limit.

The machine is noisy, and becomes faster and slower while this runs. So each block of requests
stands between two of the hello-world route, and what counts is the middle one of the ratios.

A new key is answered when another process has told the issuer. The one that is measured sleeps
meanwhile, and whoever wakes up finds the processor's caches full of others' things: even the
hello-world route costs three times as much when it is asked for once in 20 ms. So the ratio is
taken at the same pace too: to hello-worlds that come no faster than what stands beside them. For
a new key that one has the limit; for all else the other, the larger one.

Then what is measured by the clock: many who wait (`waiting`), and many delegations that are due
(`due`).
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import httpx2
from msgspec import Struct

from tests.bench import due, waiting
from tests.bench.load import Prepared, prepared, send_all
from tests.bench.processes import Worker, hello_world, service
from tests.bench.requests import Customers, reads
from tests.installers.keys import rsa_key

ROUNDS = 9
HELLOS = 1200
HELLOS_AT_THE_SAME_PACE = 100
READS = 400
DRAFTS = 200  # in each round; one address may ask for three thousand in a minute
CLIENTS_WITH_NEW_KEYS = 16
# Eight of them hold Pydantic, which Litestar loads where it finds it: the tools of a checkout bring
# it, an installed service has none.
MOST_MEBIBYTES = 110.0


class HotPath(Struct, frozen=True):
    name: str
    limit: float
    """In times of the hello-world route."""
    requests: Callable[[], Sequence[Prepared]]
    waits: bool = False
    """Whether other processes have something to do before it is answered."""


class Block(Struct, frozen=True):
    """What one block of requests cost, for each."""

    microseconds: float
    ratio: float
    ratio_at_same_pace: float


class Cost(Struct, frozen=True):
    path: HotPath
    middle: Block

    @property
    def within_limit(self) -> bool:
        middle, path = self.middle, self.path
        return (middle.ratio_at_same_pace if path.waits else middle.ratio) <= path.limit


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
            waits=True,
        ),
        HotPath(
            "POST /v1/client-secret, RSA 2048",
            10,
            lambda: customers.new_keys(CLIENTS_WITH_NEW_KEYS, rsa=True),
            waits=True,
        ),
    ]


def measured(hello: Worker, worker: Worker, paths: Sequence[HotPath]) -> Iterator[Cost]:
    hellos = [prepared("GET", f"{hello.base_url}/hello", {})] * HELLOS
    cost(hello, hellos)
    blocks: dict[str, list[Block]] = {path.name: [] for path in paths}
    for turn in range(ROUNDS + 1):
        for path in paths:
            found = block(hello, hellos, worker, path.requests())
            if turn:  # the first round warms up
                blocks[path.name].append(found)
    for path in paths:
        yield Cost(path, middle(blocks[path.name]))


def block(
    hello: Worker, hellos: Sequence[Prepared], worker: Worker, requests: Sequence[Prepared]
) -> Block:
    before = cost(hello, hellos)
    began = time.monotonic()
    its_own = cost(worker, requests)
    pace = (time.monotonic() - began) / len(requests)
    slow = cost(hello, hellos[:HELLOS_AT_THE_SAME_PACE], apart=pace)
    after = cost(hello, hellos)
    return Block(its_own, its_own / ((before + after) / 2), its_own / slow)


def middle(blocks: Sequence[Block]) -> Block:
    return Block(
        median(block.microseconds for block in blocks),
        median(block.ratio for block in blocks),
        median(block.ratio_at_same_pace for block in blocks),
    )


def cost(worker: Worker, requests: Sequence[Prepared], *, apart: float = 0) -> float:
    """Microseconds of the worker's CPU for one request."""
    began = worker.cpu_seconds()
    send_all(requests, apart=apart)
    return (worker.cpu_seconds() - began) / len(requests) * 1e6


def report(costs: Sequence[Cost], mebibytes: float) -> bool:
    """Print the table; whether everything is within its limit."""
    print(f"{'':34}{'µs CPU':>8}{'x hello':>9}{'at its pace':>13}{'limit':>7}")
    for one in costs:
        mark = "" if one.within_limit else "  ABOVE ITS LIMIT"
        found = one.middle
        ratios = f"{found.ratio:9.1f}{found.ratio_at_same_pace:13.1f}"
        print(f"{one.path.name:34}{found.microseconds:8.0f}{ratios}{one.path.limit:7.0f}{mark}")
    print(f"The worker holds {mebibytes:.0f} MiB; the limit is {MOST_MEBIBYTES:.0f}.")
    return mebibytes <= MOST_MEBIBYTES and all(one.within_limit for one in costs)


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        httpx2.Client(trust_env=False, timeout=30) as http,
        hello_world() as hello,
        service(Path(folder) / "sandbox.log") as (ready, worker),
    ):
        costs = list(measured(hello, worker, hot_paths(Customers(ready, http))))
        good = [report(costs, worker.mebibytes())]
    with tempfile.TemporaryDirectory() as folder:
        good += [waiting.report(waiting.measured(Path(folder) / "sandbox.log"))]
    good += [due.report(due.measured())]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
