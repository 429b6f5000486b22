"""Maskinporten: tokens between organisations' programs, for an assertion that the client signs."""
