"""Steps in words for people, in each language, and who is meant by an actor.

An actor is an organization or a role, never a person.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from app.apis.catalogue import Api, Texts
from app.approvals.reasons import reason
from app.approvals.rules import ReasonCode
from app.delegations.reasons import STEPS, delegation_reason, filled, named
from app.delegations.rules import Actor, State
from app.delegations.scopes import title_of
from app.onboardings.facts import Around, Facts
from app.onboardings.rules import Step, StepCode, StepStatus
from app.web.languages import Language


class StepTexts(Struct, frozen=True, forbid_unknown_fields=True):
    title: Texts
    help: Mapping[str, Texts] = {}


TEXTS = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "texts.toml").read_text(encoding="utf-8")),
    dict[StepCode, StepTexts],
)
ALTINN = "Altinn"
_NOBODY = Api(audience="", name="", owner="", scopes=[])


def title_of_step(step: Step, facts: Facts, around: Around) -> Texts:
    return _filled(TEXTS[step.code].title, _gaps(step, facts, around))


def help_of_step(step: Step, facts: Facts, around: Around) -> Texts:
    own = TEXTS[step.code].help.get(step.reason_detail or step.known.value)
    if own is not None:
        return _filled(own, _gaps(step, facts, around))
    if step.code is StepCode.DELEGATE_RIGHT:
        return _help_of_right(step, facts, around)
    return _help_of_approval(step, around)


def _help_of_right(step: Step, facts: Facts, around: Around) -> Texts:
    assert step.reason_code is not None  # only what is given has none, and a text of its own
    right = title_of(step.about, around.catalogue)
    giver, receiver = _giver(step, facts, around), _supplier(facts, around)
    code = ReasonCode(step.reason_code)
    told = delegation_reason(code, right=right, giver=giver, receiver=receiver)
    if step.known is not State.MISSING:
        return told
    steps = filled(STEPS, right=right, giver=giver, receiver=receiver)
    return Texts(nb=f"{told.nb} {steps.nb}", nn=f"{told.nn} {steps.nn}", en=f"{told.en} {steps.en}")


def _help_of_approval(step: Step, around: Around) -> Texts:
    api = _api(step, around)
    code = ReasonCode(step.known.value)
    told = {
        language: getattr(
            reason(code, what=getattr(_what(step, around), language), api=api, words=step.words),
            language,
        )
        for language in Language
    }
    return Texts(**told)


def _filled(texts: Texts, gaps: Mapping[str, Texts]) -> Texts:
    def text(language: Language) -> str:
        pattern: str = getattr(texts, language)
        return pattern.format_map({name: getattr(gap, language) for name, gap in gaps.items()})

    return Texts(nb=text(Language.NB), nn=text(Language.NN), en=text(Language.EN))


def _gaps(step: Step, facts: Facts, around: Around) -> dict[str, Texts]:
    system, api = around.system(facts), _api(step, around)
    plain = {
        "organization": named(facts.organization_name, facts.organization_number),
        "supplier": _supplier(facts, around),
        "receiver": _supplier(facts, around),
        "giver": _giver(step, facts, around),
        "system": system.name if system else facts.client_system_id,
        "operator": around.operator,
        "owner": api.owner,
        "api": api.name,
    }
    return {
        **{name: Texts(nb=text, nn=text, en=text) for name, text in plain.items()},
        "what": _what(step, around),
        "right": title_of(step.about, around.catalogue),
    }


def _what(step: Step, around: Around) -> Texts:
    """The title of a scope or a claim; one that has left the catalogue still has its name."""
    of_scope = around.catalogue.api_scopes.get(step.about)
    of_claim = around.catalogue.client_claims.get(step.about)
    known = of_scope or of_claim
    return known.title if known else Texts(nb=step.about, nn=step.about, en=step.about)


def _api(step: Step, around: Around) -> Api:
    of_claim = step.code is StepCode.APPROVE_CLAIM
    apis = around.catalogue.api_of_claim if of_claim else around.catalogue.api_of_scope
    return apis.get(step.about, _NOBODY)


def _supplier(facts: Facts, around: Around) -> str:
    system = around.system(facts)
    if system is None:
        return facts.client_system_id
    return named(system.supplier_name, system.supplier_organization_number)


def _giver(step: Step, facts: Facts, around: Around) -> str:
    number = step.giver or facts.organization_number
    if number == facts.organization_number:
        return named(facts.organization_name, number)
    declared = around.catalogue.declared_clients.get(facts.client_id)
    entries = declared.delegations if declared else []
    names = {entry.delegator.organization_number: entry.delegator.name for entry in entries}
    return named(names.get(number), number)


def actor_name(step: Step, facts: Facts, around: Around) -> str:
    match step.shape.actor:
        case Actor.SUPPLIER:
            system = around.system(facts)
            return system.supplier_name if system else facts.client_system_id
        case Actor.API_OWNER:
            return _api(step, around).owner or step.about
        case Actor.ALTINN:
            return ALTINN
        case Actor.PLATFORM:
            return around.operator
        case _:
            return _giver(step, facts, around)


def actor_contact(step: Step, facts: Facts, around: Around) -> str | None:
    """Where the actor is reached, while the step waits for him: an office's, never a person's."""
    if step.shape.status is StepStatus.DONE:
        return None
    match step.shape.actor:
        case Actor.SUPPLIER:
            system = around.system(facts)
            return system.supplier_contact if system else None
        case Actor.API_OWNER:
            return _api(step, around).owner_contact
        case Actor.PLATFORM:
            return around.operator_contact
        case _:
            return None


def usual_seconds(step: Step, around: Around) -> int | None:
    """How long such a wait has taken, while one lasts and where there have been enough cases."""
    if not step.is_open:
        return None
    about = {
        StepCode.APPROVE_SCOPE: _api(step, around).audience,
        StepCode.APPROVE_CLAIM: step.about,
        StepCode.DELEGATE_RIGHT: step.about,
    }
    return around.usual_seconds.get((step.code.value, about.get(step.code, "")))
