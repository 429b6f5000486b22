"""Onboardings: what is missing before a client can be used, who must act, and where.

All of it is derived from what other rooms have stored, each time it is read, by one table from
facts to steps (`rules`). Nothing here is ever a second truth. Before a person has confirmed, an
onboarding tells nothing of the organization that the public register does not tell.
"""
