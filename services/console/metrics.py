"""The console's metrics."""

from prometheus_client import Counter

ORDERS = Counter(
    "tidegate_console_orders_total",
    "People's orders, by command and whether the broker took them.",
    ["command", "sent"],
)
UNREADABLE = Counter("tidegate_console_unreadable_total", "Records that could not be understood, by topic.", ["topic"])
