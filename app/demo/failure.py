"""The one way in which the demo ends early."""


class DemoFailed(Exception):
    """One clear line for whoever typed the command."""
