"""What a new catalogue would change, in lines that an operator can judge before saying yes."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from app.apis.catalogue import Catalogue

_Things = dict[str, dict[str, object]]


def differences(old: Catalogue | None, new: Catalogue) -> list[str]:
    """A line for each thing that comes (`+`), goes (`-`) or changes (`~`); none: nothing changes.

    The order of entries counts too: it is the order in which people are shown them.
    """
    before, after = (_things(old) if old else {}), _things(new)
    lines = [f"+ {name}" for name in after if name not in before]
    lines += [f"- {name}" for name in before if name not in after]
    for name in after:
        if name in before:
            lines += [f"~ {name}: {change}" for change in _changes(before[name], after[name])]
    kept = [name for name in before if name in after]
    if not lines and kept != list(after):
        lines.append("~ the order of entries")
    return lines


def _things(catalogue: Catalogue) -> _Things:
    """Everything that has a name of its own, with what is said of it."""
    things: _Things = {}
    for api in catalogue.apis:
        things[f"api {api.audience}"] = _plain(api, without=("scopes", "claims"))
        for entry in api.scopes:
            things[f"scope {entry.scope}"] = _plain(entry, without=("scope",))
        for claim in api.claims:
            named = f"claim {claim.claim_type}"
            things[named] = {"audience": api.audience} | _plain(claim, without=("claimType",))
    for system in catalogue.client_systems:
        named = f"client system {system.id}"
        things[named] = _plain(system, without=("id", "scopes"))
        for allowed in system.scopes:
            things[f"{named}, scope {allowed.scope}"] = _plain(allowed, without=("scope",))
    for rule in catalogue.organization_rules:
        things[f"organization {rule.organization_number}"] = _plain(rule)
    for client in catalogue.clients:
        things[f"client {client.client_id}"] = _plain(client)
    return things | _rights(catalogue)


def _rights(catalogue: Catalogue) -> _Things:
    things = {f"right {entry.name}": _plain(entry, without=("name",)) for entry in catalogue.rights}
    if catalogue.person_right is not None:
        things["the person's right"] = _plain(catalogue.person_right)
    return things


def _plain(struct: msgspec.Struct, without: tuple[str, ...] = ()) -> dict[str, object]:
    members: dict[str, object] = msgspec.to_builtins(struct)
    return {name: value for name, value in members.items() if name not in without}


def _changes(before: object, after: object, place: str = "") -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{place}.{name}" if place else name
            yield from _changes(before.get(name), after.get(name), inner)
        return
    yield f"{place}: {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else msgspec.json.encode(value).decode()
    return text if len(text) <= 200 else f"{text[:199]}…"
