"""Queries that come again and again. Pure."""


def quantile(share: float, of: str, by: str = "", where: str = "") -> str:
    """Of a histogram, between two points of the chart."""
    return f"histogram_quantile({share}, sum by ({_le(by)}) (rate({of}_bucket{where}[$__rate_interval])))"


def quantile_of_hour(share: float, of: str, by: str = "") -> str:
    """Of a histogram with few observations: over the hour before each point."""
    return f"histogram_quantile({share}, sum by ({_le(by)}) (increase({of}_bucket[1h])))"


def rate(of: str, by: str, where: str = "") -> str:
    """A second, between two points of the chart."""
    return f"sum by ({by}) (rate({of}{where}[$__rate_interval]))"


def _le(by: str) -> str:
    return f"le, {by}" if by else "le"
