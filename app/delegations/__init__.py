"""Delegations: the organizations that let a client act for them."""
