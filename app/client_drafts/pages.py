"""The page on which a person confirms or declines a draft. GET decides nothing.

Before login the page is the same for every id. The form is bound to the session, the draft and
all that was shown; when any of it has changed, the page comes again and says so.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.exceptions import NotFoundException
from msgspec import Struct

from app.access.browser import session_for
from app.access.login import Standing, standing
from app.access.login_sessions import Goal, OpenSession
from app.apis.catalogue import Catalogue
from app.client_drafts.decisions import Decision, FieldFault, Wish, read_wish
from app.client_drafts.login_pages import LoginNotice, login_page, page_address
from app.client_drafts.models import ClientDraft
from app.client_drafts.outcomes import outcome_page, redirect_or_page
from app.client_drafts.page_view import (
    ShownDraft,
    Surroundings,
    is_still_offered,
    shown_draft,
)
from app.client_drafts.redirects import legacy_redirect
from app.client_drafts.rules import DeclineReason, DraftExpired, DraftStatus, status_now
from app.client_drafts.use_cases import (
    Decided,
    confirm_client_draft,
    decline_client_draft,
    open_client_draft,
)
from app.client_keys.rules import KeyTaken
from app.organizations.queries import organization_names
from app.settings import Settings
from app.state_machine import WrongState
from app.web.forms import PageRequest, form_token, is_form_token, own_form
from app.web.languages import Language, chosen_language
from app.web.pages import EXCEPTION_HANDLERS, Page, go_to, language_of, message, show, with_lang
