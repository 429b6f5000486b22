"""What was asked and answered, here and in the service, and why something was refused.

Nothing here decides anything: whoever answered has decided already. The checks say what was
expected and what came, so that a developer sees what to change.
"""
