"""``httplib-kit atlas``: the site of every case and every recorded implementation."""

import gc
from pathlib import Path

import click

from conformance.atlas import site
from conformance.cases import LEVELS, Corpus
from conformance.cli.options import Selection, own_cases, say_what_matches_nothing, selection
from conformance.report import EXIT_NOTHING, Refused, WholeSite
from conformance.results.golden import BookError, load_book


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@selection
@own_cases
@click.pass_context
def atlas(ctx: click.Context, directory: Path, chosen: Selection, corpus: Corpus) -> None:
    """Write the atlas: every case and recorded client, as a site.

    The site in DIR can be opened from the file system, or served by any web server. `check --html`
    and `report --html` write the same site with your run as its first column.
    """
    names = [listed.id for listed in chosen.of(corpus, LEVELS, usual=False).listed]
    say_what_matches_nothing(chosen, corpus)
    if not names:
        click.echo("httplib-kit: no case is selected; `httplib-kit list` shows them", err=True)
        ctx.exit(EXIT_NOTHING)
    try:
        place = WholeSite(directory)
        book = load_book()
    except (Refused, BookError) as error:
        raise click.UsageError(str(error)) from None
    gc.freeze()  # the records stay to the end; a collection would visit each of their lists
    try:
        place.write(site(corpus, names, book))
    finally:
        place.close()
    click.echo(f"{directory / 'index.html'}: {len(names)} cases")
