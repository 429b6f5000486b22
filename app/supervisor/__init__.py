"""The parent process of `onboarding sandbox`.

It holds the ports, starts PostgreSQL, the neighbours, the service and its worker as processes of
their own, starts again what ends, and takes everything along when it ends itself. It loads none
of what they run, and knows of the service what an operator knows: commands, variables, addresses.
"""
