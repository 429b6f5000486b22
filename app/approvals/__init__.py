"""Approvals: what an API's owner has granted to a client.

Access is decided at two levels, the API and the scope, and a scope can be used when both are
granted. A changed claim value waits while the old one keeps its place in the tokens.
"""
