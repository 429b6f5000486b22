"""Delegations: whether an organization has given a client's supplier the rights it needs in Altinn.

One record per client, right, giver and receiver. An error never changes a record's state, one
"no" never takes a right away, and what is not known is never shown as missing.
"""
