"""What the shapes of bodies, queries and answers have in common."""

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """A shape on the wire. What checks and writes it is built when it is first used.

    To build all hundred of them is a twentieth of the time to start, and a worker meets few of them.
    """

    model_config = ConfigDict(defer_build=True)
