"""POST authorize: the policy decision point. What goes wrong is answered with 200."""

from typing import Any

from litestar import post
from litestar.di import NamedDependency

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.callers import AltinnRequest, demand, demand_subscription
from app.sandbox.altinn.decisions import ProcessingProblem, answer_to, indeterminate
from app.sandbox.altinn.xacml import SyntaxProblem, read_checks
from app.sandbox.faults import special_fault

SCOPE = "altinn:authorization/authorize"
ADMIN_SCOPE = "altinn:authorization/authorize.admin"


@post("/authorization/api/v1/authorize", status_code=200)
async def authorize(
    request: AltinnRequest, altinn: NamedDependency[Altinn]
) -> dict[str, list[dict[str, Any]]]:
    demand_subscription(request, altinn)
    demand(request, altinn, SCOPE, ADMIN_SCOPE)
    fault = special_fault(request.scope)
    if fault == "indeterminate":
        return {"Response": [indeterminate("processing-error", "The sandbox was told to.")]}
    results = _results(altinn, await request.body(), lookup_fails=fault == "swallowedException")
    return {"Response": results[:-1] if fault == "wrongCount" else results}


def _results(altinn: Altinn, body: bytes, *, lookup_fails: bool) -> list[dict[str, Any]]:
    try:
        checks = read_checks(body)
        return [answer_to(altinn, check, lookup_fails=lookup_fails) for check in checks]
    except SyntaxProblem:
        return [indeterminate("syntax-error")]
    except ProcessingProblem as problem:
        return [indeterminate("processing-error", str(problem))]
