import re

from prometheus_client import Counter, Gauge, Histogram

from services.runtime import metrics

OURS = {name: value for name, value in vars(metrics).items() if isinstance(value, Counter | Gauge | Histogram)}


def test_names_follow_the_conventions() -> None:
    assert len(OURS) > 5
    for metric in OURS.values():
        (family,) = metric.collect()
        assert re.fullmatch(r"tidegate_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        if isinstance(metric, Histogram):
            assert family.name.endswith("_seconds")
        assert not isinstance(metric, Gauge) or not family.name.endswith("_total")


def test_labels_have_few_values() -> None:
    labels = {label for metric in OURS.values() for label in metric._labelnames}
    assert labels <= {"topic", "partition", "part", "route", "status"}
