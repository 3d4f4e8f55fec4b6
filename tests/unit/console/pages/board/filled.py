"""A board with something on it: a channel in each state, and two alerts."""

from schemas.directory import ChannelEntry, Directory, Label
from schemas.policy import Policy, PolicyRef
from schemas.topics import ALERT_STATE, CHANNEL_STATE, POLICY
from tests.unit.console.samples import alert
from tests.unit.console.targets import in_all_states
from tests.unit.console.world import World

NAMED = Directory(
    channels={
        "quiet": ChannelEntry(name=Label(en="Quiet", zh="安静")),
        "paused": ChannelEntry(name=Label(en="<Douyin>", zh="抖音")),
    }
)


async def filled(world: World) -> None:
    policy = Policy(version=2, directory=NAMED)
    await world.read(POLICY, (policy.label, policy), ("active", PolicyRef(name="default", version=2)))
    await world.read(CHANNEL_STATE, *((each.target, each) for each in in_all_states().values()))
    alerts = [
        alert("1", subject="channel:running"),
        alert("2", subject="brand:all", title={"en": "120 bad mentions", "zh": "负面 120 条"}),
    ]
    await world.read(ALERT_STATE, *((each.alert_id, each) for each in alerts))
