"""A token issuer that answers as HelseID does: same addresses, same answers, same refusals.

What a real client depends on must hold here exactly; what only a developer sees (the description
of an error) says more than the real one would.
"""
