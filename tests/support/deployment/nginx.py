"""nginx as a program of a test: in one process, with all its files in a folder."""

import os
from pathlib import Path

# nginx is in a folder that is in the PATH of root only.
ENVIRONMENT = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
_AROUND_SITES = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/client;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {sites}
}}
"""


def nginx_command(folder: Path, sites: str) -> list[str]:
    """Write the configuration for these sites, the content of the block `http`, and return the command that runs nginx.

    The command needs the variables of `ENVIRONMENT`.
    """
    file = folder / "nginx.conf"
    file.write_text(_AROUND_SITES.format(folder=folder, sites=sites), encoding="utf-8")
    return ["nginx", "-c", str(file), "-e", str(folder / "error.log")]
