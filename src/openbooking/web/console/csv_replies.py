"""Replies whose body is a CSV file that the browser saves."""

from collections.abc import AsyncIterator, Iterable, Sequence

from starlette.responses import Response, StreamingResponse

from openbooking.csv_cells import write_csv

Rows = Sequence[Iterable[object]]

# Excel reads a file as UTF-8 only if the file begins with a byte order mark.
_BYTE_ORDER_MARK = "\ufeff"
_MEDIA_TYPE = "text/csv"


def csv_reply(name: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Response:
    """Return a reply with a CSV file.

    Args:
        name: The name of the file, without `.csv`: letters, digits and hyphens.
        columns: The names of the columns.
        rows: The values of each row.
    """
    return Response(_BYTE_ORDER_MARK + write_csv(columns, rows), headers=_headers(name), media_type=_MEDIA_TYPE)


async def stream_csv(name: str, columns: Iterable[str], pages: AsyncIterator[Rows]) -> Response:
    """Return a reply with a CSV file whose rows are read page by page while it is sent.

    The first page is read before the reply begins, so that a database that does not answer becomes an error page.

    Args:
        name: The name of the file, without `.csv`: letters, digits and hyphens.
        columns: The names of the columns.
        pages: The pages of rows.
    """
    first = await anext(pages, ())

    async def body() -> AsyncIterator[str]:
        yield _BYTE_ORDER_MARK + write_csv(columns, first)
        async for page in pages:
            yield write_rows(page)

    return StreamingResponse(body(), headers=_headers(name), media_type=_MEDIA_TYPE)


def write_rows(rows: Rows) -> str:
    """Return the lines of the rows, without a line with the names of the columns."""
    return write_csv((), rows).removeprefix("\r\n")


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
