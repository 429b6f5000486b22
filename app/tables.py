"""Imports every model, so that the metadata is complete."""

from app.access import models as access
from app.apis import models as apis
from app.approvals import models as approvals
from app.audit import models as audit
from app.changes import models as changes
from app.client_drafts import models as client_drafts
from app.client_keys import models as client_keys
from app.clients import models as clients
from app.database import Base
from app.delegations import models as delegations
from app.notices import models as notices
from app.onboardings import models as onboardings
from app.organizations import models as organizations
from app.publications import models as publications

MODELS = (
    access,
    apis,
    approvals,
    audit,
    changes,
    client_drafts,
    client_keys,
    clients,
    delegations,
    notices,
    onboardings,
    organizations,
    publications,
)
"""Named here, so that no tool takes the imports for idle."""

metadata = Base.metadata
