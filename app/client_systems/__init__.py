"""Client systems: suppliers' products, whose installers ask for clients with an API key.

What a system may ask for stands in the catalogue. An API key is copied into every installation,
so it names a system and proves nothing: it opens drafts and nothing else.
"""
