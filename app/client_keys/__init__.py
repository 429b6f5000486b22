"""Client keys: the public keys that a client authenticates with ("client secret" in the API).

A client holds several at once, because the old key must work until the new one is known to the
token issuer: adding a key never removes one. A key belongs to one client for ever, and a key
that was retired or revoked never comes back.

Only public keys are kept. When a private one is sent all the same, it has left its owner's
hands: nothing of the request is stored or logged, and the sender is told to make a new one.
"""
