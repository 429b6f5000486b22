"""Clients: who may authenticate, and whether that is stopped.

Only what every room needs to know of a client stands here. What it may do is `approvals`, with
which keys is `client_keys`, and how it is read and changed is `client_configurations`.
"""
