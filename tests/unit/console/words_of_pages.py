"""What is to be read on a page."""

from html.parser import HTMLParser


class Words(HTMLParser):
    """Its text with single spaces, its links, and where its forms go."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._words: list[str] = []
        self.links: list[str] = []
        self.actions: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name == "href" and value]
        self.actions += [value for name, value in attrs if name == "action" and value]

    def handle_data(self, data: str) -> None:
        self._words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self._words)
