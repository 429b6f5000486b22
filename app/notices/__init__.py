"""Notices: what organizations, suppliers and API owners are told without having asked.

Each is a row, written in the transaction of what it tells of. The worker sends it as mail where
the operator has a mail server and an address is known; else it is kept, and shown to the operator.
"""
