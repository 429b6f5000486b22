from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class UsualWait(Base):
    """How long one kind of wait has taken, in the middle of the cases of late."""

    __tablename__ = "usual_waits"

    step: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    """The audience of the API, or the right."""
    seconds: Mapped[int]
    cases: Mapped[int]
