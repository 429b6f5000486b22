"""`python -m app` is `onboarding`."""

from app.cli import main

main()
