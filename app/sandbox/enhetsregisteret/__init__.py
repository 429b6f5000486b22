"""The public register of organisations, as Brønnøysund serves it under /enhetsregisteret/api."""
