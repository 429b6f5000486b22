"""How state machines are written here: one table from (state, event) to the next state."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar

from app.problems import Problem

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)
Transitions = Mapping[tuple[S, E], S]


class WrongState(Problem):
    slug = "wrong-state"
    title = "The state of the resource does not allow this"
    status = HTTPStatus.CONFLICT


def next_state(transitions: Transitions[S, E], state: S, event: E) -> S:
    """Where `event` leads from `state`. Every pair that the table leaves out is refused."""
    try:
        return transitions[state, event]
    except KeyError:
        raise WrongState(f"Cannot {event} while {state}.") from None
