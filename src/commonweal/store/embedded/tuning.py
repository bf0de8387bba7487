"""The settings PostgreSQL runs with: tuned for a laptop with two cores, never at the price of durability."""

import os
import sys
from pathlib import Path

_HEADER = """\
# Written by Commonweal at every start; changes here are lost.
# Settings of your own go to postgresql.local.conf beside this file, or into ALTER SYSTEM; both win.
"""
_ALWAYS = {
    # what was acknowledged is on disk
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": "''",  # the socket is enough: no port to attack
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "wal_buffers": "16MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "work_mem": "16MB",
    "gin_pending_list_limit": "512kB",  # a search reads the whole list: short, right after many writes too
    "random_page_cost": "1.1",  # solid state and page cache
    "jit": "off",  # compiling costs more than our short queries
    "max_parallel_workers_per_gather": "1",
    "max_parallel_maintenance_workers": "1",
    "autovacuum_max_workers": "2",
    "autovacuum_naptime": "30s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.1",
    "autovacuum_analyze_scale_factor": "0.02",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    "logging_collector": "on",
    "log_filename": "'postgresql-%a.log'",  # a week, then over again
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_file_mode": "0600",
    "log_line_prefix": "'%m [%p] %q%u '",
    "log_min_duration_statement": "2s",
    "log_checkpoints": "off",
    # health data has no place in a log: no parameters, no row values in DETAIL and CONTEXT
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
_LINUX_ONLY = {
    "effective_io_concurrency": "200",
    "client_connection_check_interval": "2s",  # a query whose asker was killed ends
}


def settings(data: Path, socket: Path, *, lz4: bool) -> str:
    """The text of postgresql.conf for the database in `data` with its socket in the directory `socket`."""
    lines = _ALWAYS | _memory(_memory_bytes())
    if sys.platform == "linux":
        lines |= _LINUX_ONLY
    lines |= {
        "wal_compression": "lz4" if lz4 else "on",
        "default_toast_compression": "lz4" if lz4 else "pglz",
        "hba_file": _quoted(data / "pg_hba.conf"),
        "unix_socket_directories": _quoted(socket),
        "log_directory": _quoted(data / "log"),
    }
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    return f"{_HEADER}{text}include_if_exists = 'postgresql.local.conf'\n"


def _memory(total: int) -> dict[str, str]:
    """An eighth of the memory for shared buffers, between 128 MB and 4 GB; the rest is for the page cache.

    Pages are taken as they are first used: a small record never fills them.
    """
    megabytes = total // 2**20
    return {
        "shared_buffers": f"{min(max(megabytes // 8, 128), 4096)}MB",
        "effective_cache_size": f"{max(megabytes // 2, 256)}MB",
        "maintenance_work_mem": f"{min(max(megabytes // 32, 64), 256)}MB",
    }


def _memory_bytes() -> int:
    """What this machine, or the container we are in, has."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    given = [int(text) for text in map(_read, limits) if text.isdigit()]
    return min(installed, *given) if given else installed


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("\\", "\\\\").replace("'", "''") + "'"
