"""Who is calling: API keys, access tokens with their DPoP proofs, and people who log in.

Nothing that a caller sends is believed before it has been checked here, and what has been
checked has a type of its own (`VerifiedToken`, `Proof`): a function that asks for one cannot be
called with less. What has not been checked says so in its name.

A proof is good for one request only. Whether it has been used is decided by the database, in
one statement, and it stays used when the request itself fails. A whole token, a key's private
part or a header's value never stands in a refusal or in a log.
"""
