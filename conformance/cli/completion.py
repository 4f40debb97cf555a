"""``httplib-kit completion SHELL``: a shell completes commands, options, cases and clients."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_HTTPLIB_KIT_COMPLETE"
"""In which the shell asks; click derives the name from that of the program."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), metavar="|".join(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands, cases and clients.

    \b
    bash   eval "$(httplib-kit completion bash)"      in ~/.bashrc
    zsh    eval "$(httplib-kit completion zsh)"       in ~/.zshrc
    fish   httplib-kit completion fish | source       in ~/.config/fish/config.fish
    """  # noqa: D301 - click reads the character itself
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "httplib-kit", _VARIABLE).source())
