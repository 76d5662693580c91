"""The request body as one writes it by hand, for the stacks that predict nothing."""

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[float, Meta(ge=0, le=100_000)]


class Features(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One block group."""

    MedInc: Annotated[float, Meta(ge=0, le=100)]
    HouseAge: Annotated[float, Meta(ge=0, le=250)]
    AveRooms: Count
    AveBedrms: Count
    Population: Count
    AveOccup: Count
    Latitude: Annotated[float, Meta(ge=32.5, le=42.1)]
    Longitude: Annotated[float, Meta(ge=-124.5, le=-114.1)]
