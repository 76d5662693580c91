"""Everything that watches one service, put together and run beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from api.model.batching import MAX_ROWS_PER_TURN
from api.model.model import Model
from api.settings import Settings
from api.watch.capture import Capture
from api.watch.embedded import Embedded
from api.watch.live import Live
from api.watch.minutes import Minutes


class Watch:
    """Counts, metric lines and captured rows of one model; `write` takes lines of the log."""

    def __init__(self, settings: Settings, model: Model, write: Callable[[bytes], None]) -> None:
        self.live = Live(model, MAX_ROWS_PER_TURN)
        self.minutes = Minutes(self.live, _embedded(settings, self.live), write)
        self.capture = Capture(model.schema, model.version, settings.capture_percent, settings.capture_port)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run until the service ends, whose last minute and last captured rows are sent then."""
        tasks = [asyncio.create_task(self.minutes.run())]
        if self.capture.percent:
            tasks.append(asyncio.create_task(self.capture.run()))
        yield
        for task in tasks:
            task.cancel()
        self.minutes.end()
        await self.capture.close()


def _embedded(settings: Settings, live: Live) -> Embedded | None:
    if settings.model_metrics == "none":
        return None
    features = settings.model_metrics_features if settings.model_metrics == "features" else 0
    return Embedded(live.layout, settings.service_name or live.layout.model.schema.name, features)
