"""Files that are not Python: where they lie in a checkout, and where in an installed wheel."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The folder `migrations` or `openapi`. A wheel has no top level, so it carries them inside."""
    installed = PACKAGE / "shipped_files" / name
    return installed if installed.is_dir() else PACKAGE.parent / name
