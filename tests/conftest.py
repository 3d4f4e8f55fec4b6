"""What all tests share."""

from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and fails nobody; a test that hangs has its timeout.
settings.register_profile("tidegate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tidegate")
