from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from app.apis.catalogue import Tenancy
from app.clients.rules import ClientStatus
from app.database import Base


class ClientConfiguration(Base):
    """A client that may authenticate. Its scopes and claims are rows of `approvals`."""

    __tablename__ = "client_configurations"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_system_id: Mapped[str] = mapped_column(index=True)
    tenancy: Mapped[Tenancy]
    organization_number: Mapped[str] = mapped_column(index=True)
    organization_name: Mapped[str]
    status: Mapped[ClientStatus] = mapped_column(default=ClientStatus.ACTIVE)
    status_since: Mapped[datetime | None] = mapped_column(default=None)
    """When the operator last blocked, unblocked or closed it."""
    redirect_uris: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]]
    child_organization_numbers: Mapped[list[str]]
    external_ref: Mapped[str | None] = mapped_column(default=None)
    contact_email: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
