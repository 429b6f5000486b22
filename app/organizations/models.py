from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.organizations.register import Mark, Verdict


class Organization(Base):
    """What Enhetsregisteret last said of a number."""

    __tablename__ = "organizations"

    organization_number: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[Verdict]
    name: Mapped[str | None] = mapped_column(default=None)
    main_unit: Mapped[str | None] = mapped_column(default=None)
    etag: Mapped[str | None] = mapped_column(default=None)
    winding_up: Mapped[bool] = mapped_column(default=False)
    checked_at: Mapped[datetime] = mapped_column(index=True)
    outdated: Mapped[bool] = mapped_column(default=False)
    """The register has changed what it says since."""
    mark: Mapped[Mark | None] = mapped_column(default=None)
    """As the trail and the delegations of its clients have been told; `verdict` may be ahead."""
    marked_at: Mapped[datetime | None] = mapped_column(default=None)
