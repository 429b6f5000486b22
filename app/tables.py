"""Imports every model, so that the metadata is complete."""

from app.database import Base

metadata = Base.metadata
