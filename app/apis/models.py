from datetime import datetime

from sqlalchemy import BigInteger, Identity
from sqlalchemy.orm import Mapped, mapped_column

from app.apis.catalogue import Catalogue
from app.database import Base, Json


class CatalogueVersion(Base):
    """The whole catalogue as it was applied. The newest is in force."""

    __tablename__ = "catalogue_versions"

    version: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, init=False)
    content: Mapped[Catalogue] = mapped_column(Json(Catalogue))
    applied_at: Mapped[datetime]
