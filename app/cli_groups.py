"""Groups of commands that are loaded when they are asked for, so that the others start quickly."""

from importlib import import_module

import click

GROUPS = {
    "api-key": "app.cli_api_keys",
    "approvals": "app.cli_approvals",
    "audit": "app.cli_audit",
    "catalogue": "app.cli_catalogue",
    "client": "app.cli_clients",
}


class Commands(click.Group):
    """The commands of its own, and the `group` of each module above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *GROUPS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in GROUPS:
            group: click.Command = import_module(GROUPS[cmd_name]).group
            return group
        return super().get_command(ctx, cmd_name)
