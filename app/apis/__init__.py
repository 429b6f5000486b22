"""What can be asked for: audiences, scopes, client claims, who approves, which right is needed.

It is data. A catalogue file says it, `onboarding catalogue apply` brings it in as one new
version, and everything else reads the newest version. A version is never changed.
"""
