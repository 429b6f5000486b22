"""Client configurations: what a confirmed client may do, and on whose behalf.

Made by a confirmed draft or declared in the catalogue. The client itself changes it with a
token of its own; it belongs to the organization, not to the person who confirmed it.
"""
