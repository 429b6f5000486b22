"""That the token issuer has yet to be told of a client.

Every change of what the issuer knows raises `wanted` in its own transaction. The worker sends
the client's whole present state, so that a late or repeated call can only bring the issuer
nearer to the truth; one lease at a time per client keeps the calls in order.
"""
