"""Onboarding of HelseID clients: installers ask, a person confirms, the token issuer is told."""
