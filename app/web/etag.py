"""Telling versions of an answer apart: weak, since one state may be written in several ways."""

from http import HTTPStatus

from app.problems import Problem


class PreconditionFailed(Problem):
    slug = "precondition-failed"
    title = "The resource has changed since it was read"
    status = HTTPStatus.PRECONDITION_FAILED

    def __init__(self) -> None:
        super().__init__("Read it again, look at what has changed, and send the change again.")


def etag(counter: int, language: str) -> str:
    return f'W/"{counter}-{language}"'


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller has this version already (`If-None-Match`)."""
    if if_none_match is None:
        return False
    given = {entry.strip() for entry in if_none_match.split(",")}
    return tag in given or "*" in given


def check_if_match(if_match: str | None, counter: int) -> None:
    """Refuse a change of a version that the caller has not seen. The language does not matter."""
    if if_match is None or if_match.strip() == "*":
        return
    given = {entry.strip().removeprefix("W/").strip('"') for entry in if_match.split(",")}
    if str(counter) not in {entry.partition("-")[0] for entry in given}:
        raise PreconditionFailed
