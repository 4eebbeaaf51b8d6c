"""Where temporary files lie: in memory, where there is room, since many disks make every test wait for them."""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 2 << 30


def roomy_memory() -> Path | None:
    """A folder in memory that all temporary files of a run fit into, and programs can be started from."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    starts_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return MEMORY if starts_programs and shutil.disk_usage(MEMORY).free >= ROOM else None
