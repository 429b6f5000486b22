"""Imports every model, so that the metadata is complete."""

import app.access.models
import app.apis.models
import app.approvals.models
import app.audit.models
import app.changes.models
import app.clients.models
import app.client_drafts.models
import app.client_keys.models
import app.organizations.models
import app.publications.models
from app.database import Base

metadata = Base.metadata
