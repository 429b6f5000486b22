"""What `make fuzz` does at length, for a few seconds. PostgreSQL's version has no part in it."""

from pathlib import Path

import pytest

from tests.fuzz.running import fuzz
from tests.sandboxes import Ready

CHANGES = {"POST /v1/client-drafts", "PUT /v1/client", "POST /v1/client-secret"}


def test_no_request_gets_an_answer_that_is_not_in_the_document(
    sandbox: Ready, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = fuzz(sandbox, tmp_path, most_examples=1)
    assert (report.failures, report.errors) == ([], []), capfd.readouterr().out
    assert report.test_cases.generated > 500
    assert report.accepted >= CHANGES
