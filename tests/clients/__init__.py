"""`make clients`: clients generated from the published document, compiled, and played out."""
