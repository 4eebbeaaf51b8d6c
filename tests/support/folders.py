"""Temporary folders: in memory if there is room, since many disks slow down every test."""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 2 << 30


def memory_folder() -> Path | None:
    """Return a folder in memory with room for all temporary files of a run, on which programs can be started."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    starts_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return MEMORY if starts_programs and shutil.disk_usage(MEMORY).free >= ROOM else None
